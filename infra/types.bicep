// Types that several modules share.

@export()
@sealed()
@description('A column of `columns.json` or `runs-columns.json`.')
type column = {
  @description('Name of the column.')
  name: string

  @description('Type of the column, as a data collection rule names it.')
  type: 'boolean' | 'datetime' | 'dynamic' | 'int' | 'long' | 'real' | 'string'

  @description('What the column holds.')
  description: string
}

@export()
@description('Tags of the resources.')
type tags = {
  @description('Value of the tag.')
  *: string
}

@export()
@description('App settings: names and values. No value is a secret; a secret is a Key Vault reference.')
type settings = {
  @description('Value of the setting.')
  *: string
}
