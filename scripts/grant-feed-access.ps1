<#
.SYNOPSIS
Lets an identity read the Office 365 Management Activity API of a tenant, and its label names, or takes that back.

.DESCRIPTION
Grants the application permission ActivityFeed.Read of the Office 365 Management APIs and SensitivityLabel.Read of
Microsoft Graph. What is granted already stays as it is. Needs the modules Microsoft.Graph.Authentication and
Microsoft.Graph.Applications, and the role Privileged Role Administrator in the tenant; to add or remove a provider's app,
also Cloud Application Administrator. The twin of scripts/grant-feed-access.

A token that was given out before a change goes on as it was: it may take hours until the connector gets a new one, or
restart the function app.

.PARAMETER PrincipalId
Object id of the managed identity, or of the service principal of the app registration: the deployment's output
IDENTITY_PRINCIPAL_ID.

.PARAMETER AppId
In its place, the client id of a provider's app registration in another tenant: it gets a service principal in this tenant,
where it has none.

.PARAMETER TenantId
The tenant that is read.

.PARAMETER Environment
The Graph cloud of the tenant: Global, USGov (GCC High) or USGovDoD.

.PARAMETER NoLabels
ActivityFeed.Read alone; the rows then have the ids of labels and no names.

.PARAMETER Remove
Takes both permissions back; of a provider's app, removes its service principal with all that it has.

.EXAMPLE
./scripts/grant-feed-access.ps1 -PrincipalId 1d9e8c7b-6a5f-4e3d-9c2b-1a0f9e8d7c6b -TenantId 4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55 -WhatIf

Says what would be granted, and changes nothing.
#>
#Requires -Modules Microsoft.Graph.Authentication, Microsoft.Graph.Applications
[CmdletBinding(SupportsShouldProcess, DefaultParameterSetName = 'Principal')]
param(
    [Parameter(Mandatory, ParameterSetName = 'Principal')] [guid] $PrincipalId,
    [Parameter(Mandatory, ParameterSetName = 'App')] [guid] $AppId,
    [Parameter(Mandatory)] [guid] $TenantId,
    [ValidateSet('Global', 'USGov', 'USGovDoD')] [string] $Environment = 'Global',
    [switch] $NoLabels,
    [switch] $Remove
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

if ($Remove -and $NoLabels) {
    throw '-Remove takes both permissions back: leave -NoLabels out.'
}

# The ids of the APIs are the same in every tenant; those of their permissions are looked up by name.
$grants = @(
    @{ AppId = 'c5393580-f805-4401-95e8-94b7a6ef2fc2'; Name = 'Office 365 Management APIs'; Permission = 'ActivityFeed.Read' }
)
if (-not $NoLabels) {
    $grants += @{ AppId = '00000003-0000-0000-c000-000000000000'; Name = 'Microsoft Graph'; Permission = 'SensitivityLabel.Read' }
}

$ofApp = $PSCmdlet.ParameterSetName -eq 'App'
# Service principals are made and removed by the wider scope alone.
$scopes = @($(if ($ofApp) { 'Application.ReadWrite.All' } else { 'Application.Read.All' }), 'AppRoleAssignment.ReadWrite.All')
Connect-MgGraph -TenantId $TenantId -Environment $Environment -NoWelcome -Scopes $scopes
$context = Get-MgContext
if ([guid] $context.TenantId -ne $TenantId) {
    throw "Signed in to the tenant $($context.TenantId), not to $TenantId."
}

if ($ofApp) {
    $found = Get-MgServicePrincipal -Filter "appId eq '$AppId'"
    if ($Remove) {
        if (-not $found) {
            Write-Output "The app $AppId has no service principal here"
        }
        elseif ($PSCmdlet.ShouldProcess($found.Id, "Remove the service principal of the app $AppId, with all that it was granted")) {
            Remove-MgServicePrincipal -ServicePrincipalId $found.Id
            Write-Output "The service principal $($found.Id) of the app $AppId is removed, with all that it was granted"
        }
        return
    }
    if (-not $found) {
        if (-not $PSCmdlet.ShouldProcess($AppId, 'Make a service principal of the app, and grant it the permissions')) {
            return
        }
        $found = New-MgServicePrincipal -AppId $AppId
        # The directory takes a moment to show it, and refuses grants before.
        foreach ($try in 1..12) {
            if (Get-MgServicePrincipal -Filter "appId eq '$AppId'") { break }
            Start-Sleep -Seconds 5
        }
    }
    $PrincipalId = $found.Id
}

$granted = @(Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $PrincipalId -All)
foreach ($grant in $grants) {
    $what = "$($grant.Permission) of $($grant.Name)"
    $api = Get-MgServicePrincipal -Filter "appId eq '$($grant.AppId)'"
    if (-not $api -and $Remove) {
        Write-Output "${what}: not granted"
        continue
    }
    if (-not $api) {
        # Microsoft's own services are in a tenant from the first use on; adding one takes a wider scope than this needs.
        throw "$($grant.Name) is not in the tenant. Add it, then start this again: Connect-MgGraph -TenantId $TenantId -Scopes Application.ReadWrite.All; New-MgServicePrincipal -AppId $($grant.AppId)"
    }
    $role = $api.AppRoles | Where-Object { $_.Value -eq $grant.Permission -and $_.AllowedMemberTypes -contains 'Application' }
    if (-not $role) {
        throw "$($grant.Name) has no application permission $($grant.Permission) in this tenant."
    }
    $assignment = $granted | Where-Object { $_.ResourceId -eq $api.Id -and $_.AppRoleId -eq $role.Id }
    if ($Remove) {
        if (-not $assignment) {
            Write-Output "${what}: not granted"
        }
        elseif ($PSCmdlet.ShouldProcess($PrincipalId, "Take back $what")) {
            Remove-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $PrincipalId -AppRoleAssignmentId $assignment.Id
            Write-Output "${what}: taken back"
        }
    }
    elseif ($assignment) {
        Write-Output "${what}: granted already"
    }
    elseif ($PSCmdlet.ShouldProcess($PrincipalId, "Grant $what")) {
        $null = New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $PrincipalId -PrincipalId $PrincipalId `
            -ResourceId $api.Id -AppRoleId $role.Id
        Write-Output "${what}: granted"
    }
}
