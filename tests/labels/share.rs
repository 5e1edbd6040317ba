//! How many of the labels in rows have their names, judged by the labels of the simulated tenant.

use std::collections::HashMap;

use labelstream_simulator::Simulator;
use serde_json::Value;

/// Label ids in rows, by whether the tenant has the label, and those that have the name that people know.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Rows with the id of a label of the tenant.
    pub rows: usize,
    /// Those of them in which every such label has its name and priority.
    pub named: usize,
    /// Rows with the id of a label that the tenant does not have.
    pub foreign: usize,
}

impl Share {
    pub fn of(simulator: &Simulator, rows: &[Value]) -> Self {
        let tenant = simulator.tenant();
        let known: HashMap<_, _> =
            tenant.labels.iter().map(|label| (&*label.id, (tenant.label_path(label), label))).collect();
        let mut share = Self::default();
        for row in rows {
            let (mut of_tenant, mut named, mut foreign) = (0, 0, 0);
            for old in ["", "Old"] {
                let column = |name: &str| &row[format!("{old}SensitivityLabel{name}")];
                let Some(id) = column("Id").as_str().filter(|id| !id.is_empty()) else { continue };
                let Some((path, label)) = known.get(&*id.to_lowercase()) else {
                    foreign += 1;
                    assert!(column("Name").is_null() && column("Priority").is_null(), "no name is made up: {row}");
                    continue;
                };
                of_tenant += 1;
                let has_name = column("Name") == path.as_str() && column("Priority") == label.priority;
                // The record's own name goes before the catalogue's.
                let plain = !old.is_empty() || row["LabelName"] == label.name;
                named += usize::from(has_name && plain);
            }
            share.rows += usize::from(of_tenant > 0);
            share.named += usize::from(of_tenant > 0 && named == of_tenant);
            share.foreign += usize::from(foreign > 0);
        }
        share
    }
}
