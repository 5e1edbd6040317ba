//! No secret is a plain parameter, an output, a tag or a plain setting.

use labelstream::settings::{SETTINGS, SetBy};

use crate::snapshot::{Snapshot, each_string, each_template, template};

/// Functions that give out keys, and words that a key goes by.
const GIVES_KEYS: [&str; 4] = ["listkeys(", "listaccountsas(", "listservicesas(", "list("];
const KEY_WORDS: [&str; 5] =
    ["accountkey=", "sharedaccesssignature=", "sig=", "instrumentationkey", "connectionstring"];

/// Whether a name is one that a value to be kept from others would have.
fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    let names_it =
        ["password", "secret", "apikey", "accesskey", "sharedkey", "token"].iter().any(|word| name.contains(word));
    // The name of a secret in a vault is none itself.
    names_it && !name.ends_with("name")
}

#[test]
fn parameters_that_sound_secret_are_secure() {
    let mut checked = 0;
    each_template(&template(), &mut |template| {
        for (name, parameter) in template["parameters"].as_object().into_iter().flatten() {
            checked += 1;
            let secure = matches!(parameter["type"].as_str(), Some("securestring" | "secureObject"));
            assert!(secure || !sounds_secret(name), "{name} is not secure()");
            assert!(!secure || parameter.get("defaultValue").is_none(), "{name} has a default");
        }
    });
    assert!(checked > 100, "only {checked} parameters were found");
    assert!(sounds_secret("clientSecret") && sounds_secret("sasToken") && !sounds_secret("clientSecretName"));
}

#[test]
fn every_parameter_is_described_and_bounded() {
    each_template(&template(), &mut |template| {
        let parameters = template["parameters"].as_object().into_iter().flatten();
        for (name, parameter) in parameters {
            assert!(parameter["metadata"]["description"].is_string(), "{name} is not described");
            let kind = parameter["type"].as_str();
            // A region is whatever Azure has; `bool` and lists of texts have nothing to be bounded by.
            let bounded = kind != Some("string") && kind != Some("int")
                || ["location", "purpose", "labelTable", "runsTable", "sku", "subnetId"].contains(&name.as_str())
                || ["allowedValues", "minLength", "maxLength", "minValue", "maxValue"]
                    .iter()
                    .any(|bound| parameter.get(bound).is_some());
            assert!(bounded, "{name} takes anything");
        }
    });
}

#[test]
fn no_template_asks_for_a_key() {
    let template = template();
    each_string(&template, "", &mut |path, text| {
        // Only an expression calls functions; `make_list(` of a query is none.
        if !text.starts_with('[') {
            return;
        }
        let text = text.to_lowercase();
        for function in GIVES_KEYS {
            assert!(!text.contains(function), "{path}: {text}");
        }
    });
}

#[test]
fn outputs_and_tags_hold_no_secret() {
    each_template(&template(), &mut |template| {
        for (name, output) in template["outputs"].as_object().into_iter().flatten() {
            assert!(!sounds_secret(name), "output {name}");
            let value = output["value"].to_string().to_lowercase();
            let forbidden = KEY_WORDS.iter().chain(&GIVES_KEYS).find(|word| value.contains(**word));
            assert!(forbidden.is_none(), "output {name}: {value}");
            assert!(!matches!(output["type"].as_str(), Some("securestring" | "secureObject")), "output {name}");
        }
    });
    for snapshot in Snapshot::all() {
        for resource in snapshot.resources() {
            each_string(&resource["tags"], "tags", &mut |path, text| {
                assert!(!text.starts_with('['), "{}: {path} is worked out: {text}", resource["id"]);
            });
        }
    }
}

#[test]
fn a_secret_setting_is_a_key_vault_reference() {
    let mut seen = 0;
    for snapshot in Snapshot::all() {
        for setting in SETTINGS.iter().filter(|setting| setting.secret && setting.set_by != SetBy::Platform) {
            if let Some(value) = snapshot.settings().get(setting.name) {
                let value = value.as_str().unwrap();
                assert!(value.contains("@Microsoft.KeyVault(SecretUri={0}secrets/{1}/)"), "{}: {value}", setting.name);
                assert_eq!(snapshot.of_type("Microsoft.KeyVault/vaults").len(), 1);
                seen += 1;
            }
        }
        assert_eq!(snapshot.of_type("Microsoft.KeyVault/vaults/secrets").len(), 0, "a template would have to know it");
    }
    assert_eq!(seen, 1, "the private parameter file reads with a client secret");
}

#[test]
fn the_only_setting_with_a_key_in_it_is_one_that_opens_nothing() {
    for snapshot in Snapshot::all() {
        for (name, value) in snapshot.settings() {
            let value = value.as_str().unwrap().to_lowercase();
            let holds = KEY_WORDS.iter().any(|word| value.contains(word));
            // Its key is refused by a component that has local authentication off; access.rs checks that it has.
            assert_eq!(holds, name == "APPLICATIONINSIGHTS_CONNECTION_STRING", "{}: {name}", snapshot.name);
        }
    }
}
