//! The compiled templates, and the resources that a parameter file would create.

use std::{fs, path::Path};

use serde_json::{Map, Value};

/// Reads a file of the repository.
pub fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Reads a JSON file of the repository.
pub fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The compiled `main.bicep`.
pub fn template() -> Value {
    json("azuredeploy.json")
}

/// A template and the templates nested in it.
pub fn each_template(template: &Value, look: &mut impl FnMut(&Value)) {
    look(template);
    // Resources have names where a template uses types of its own, and a plain list otherwise.
    let resources: Vec<_> = match &template["resources"] {
        Value::Array(list) => list.iter().collect(),
        Value::Object(named) => named.values().collect(),
        other => panic!("resources are {other}"),
    };
    for resource in resources {
        if let Some(nested) = resource.pointer("/properties/template") {
            each_template(nested, look);
        }
    }
}

/// What a parameter file would create.
pub struct Snapshot {
    /// Name of the parameter file.
    pub name: String,
    resources: Vec<Value>,
}

impl Snapshot {
    pub fn named(name: &str) -> Self {
        let value = json(&format!("infra/snapshots/{name}.snapshot.json"));
        Self { name: name.to_owned(), resources: value["predictedResources"].as_array().unwrap().clone() }
    }

    /// One for each parameter file.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/parameters");
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| {
                Some(entry.unwrap().path().file_name()?.to_str()?.strip_suffix(".bicepparam")?.to_owned())
            })
            .collect();
        names.sort();
        assert_eq!(names, ["commercial", "cross-tenant", "fleet", "gcchigh", "private"]);
        names.iter().map(|name| Self::named(name)).collect()
    }

    pub fn resources(&self) -> &[Value] {
        &self.resources
    }

    /// The resources of a type, in any case, as Azure has it.
    pub fn of_type(&self, kind: &str) -> Vec<&Value> {
        self.resources.iter().filter(|one| one["type"].as_str().unwrap().eq_ignore_ascii_case(kind)).collect()
    }

    /// The one resource of a type.
    pub fn the(&self, kind: &str) -> &Value {
        let [one] = self.of_type(kind)[..] else { panic!("{}: not one {kind}", self.name) };
        one
    }

    /// Whether many tenants are read.
    pub fn is_fleet(&self) -> bool {
        self.settings().contains_key("TENANTS")
    }

    /// The app settings.
    pub fn settings(&self) -> &Map<String, Value> {
        self.the("Microsoft.Web/sites/config")["properties"].as_object().unwrap()
    }
}

/// Calls `look` for each string within a value, with its path.
pub fn each_string<'a>(value: &'a Value, path: &str, look: &mut impl FnMut(&str, &'a str)) {
    match value {
        Value::String(text) => look(path, text),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| each_string(item, &format!("{path}/{i}"), look));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| each_string(member, &format!("{path}/{name}"), look));
        }
        _ => {}
    }
}
