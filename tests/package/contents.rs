//! What is in the package, and that it is a function of that alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
};

use crate::made::{Package, executable, root, said};

/// The newest C library that the images are known to have, of which `scripts/package` links for less or equal.
const NEWEST_GLIBC: (u32, u32) = (2, 28);

/// The functions of an application, as the host finds them: each folder with a `function.json`.
fn function_folders(application: &Path) -> BTreeSet<String> {
    let folders = fs::read_dir(application).unwrap().map(|entry| entry.unwrap());
    folders
        .filter(|folder| folder.path().join("function.json").is_file())
        .map(|folder| folder.file_name().into_string().unwrap())
        .collect()
}

#[test]
fn it_has_the_handler_host_json_and_the_functions_and_nothing_else() {
    let package = Package::judged();
    let host = fs::read(root().join("host.json")).unwrap();
    let mut wanted = BTreeMap::from([(executable(&host), 0o100_755), ("host.json".to_owned(), 0o100_644)]);
    wanted.extend(function_folders(root()).into_iter().map(|folder| (format!("{folder}/function.json"), 0o100_644)));
    let found: Vec<_> = package.entries.iter().map(|entry| (entry.name.clone(), entry.mode)).collect();
    assert_eq!(found, wanted.into_iter().collect::<Vec<_>>(), "in the order of their names");

    for entry in package.entries.iter().filter(|entry| entry.name != executable(&host)) {
        assert_eq!(entry.content, fs::read(root().join(&entry.name)).unwrap(), "{}", entry.name);
    }
    // Whatever publishes the repository's own folder goes by this file.
    let ignore = fs::read_to_string(root().join(".funcignore")).unwrap();
    let kept: BTreeSet<_> = ignore.lines().filter_map(|line| line.strip_prefix("!/")).collect();
    let top: BTreeSet<_> = package.entries.iter().filter_map(|entry| entry.name.split('/').next()).collect();
    assert_eq!(top, kept);
}

#[test]
fn the_fleets_has_the_same_handler_and_status_with_host_json_and_functions_of_its_own() {
    let (package, fleet) = (Package::fleet(), root().join("fleet"));
    let executable = executable(&fs::read(fleet.join("host.json")).unwrap());
    let functions = function_folders(&fleet);
    assert_eq!(functions, BTreeSet::from(["FleetPull".to_owned(), "FleetTimer".to_owned()]));
    let own = functions.into_iter().map(|folder| format!("{folder}/function.json")).chain(["host.json".to_owned()]);
    let mut wanted: BTreeMap<_, _> =
        own.map(|name| (name.clone(), (0o100_644, fs::read(fleet.join(name)).unwrap()))).collect();
    let status = fs::read(root().join("Status/function.json")).unwrap();
    wanted.insert("Status/function.json".to_owned(), (0o100_644, status));
    wanted.insert(executable, (0o100_755, Package::judged().handler().content.clone()));
    assert_eq!(package.entries.iter().map(|entry| &entry.name).collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    for entry in &package.entries {
        let (mode, content) = &wanted[&entry.name];
        assert_eq!(entry.mode, *mode, "{}", entry.name);
        assert!(entry.content == *content, "{} differs", entry.name);
    }
}

#[test]
fn the_handler_is_a_program_for_the_images() {
    let package = Package::judged();
    let content = &package.handler().content;
    // ELF, 64 bits, little-endian; x86-64.
    assert_eq!((&content[..6], &content[18..20]), (&b"\x7fELF\x02\x01"[..], &[62, 0][..]));
    if !package.is_release {
        assert_eq!(*content, fs::read(env!("CARGO_BIN_EXE_labelstream")).unwrap());
        return;
    }
    let shown = Command::new("objdump").arg("-p").arg(package.app.join(&package.handler().name)).output().unwrap();
    assert!(shown.status.success(), "{}", said(&shown));
    let shown = String::from_utf8(shown.stdout).unwrap();
    let version = |text: &str| {
        let mut parts = text.split('.').map(|part| part.parse().unwrap());
        (parts.next().unwrap(), parts.next().unwrap())
    };
    let versions: BTreeSet<(u32, u32)> =
        shown.split("GLIBC_").skip(1).map(|rest| version(rest.lines().next().unwrap())).collect();
    assert!(versions.len() > 1 && *versions.last().unwrap() <= NEWEST_GLIBC, "{versions:?}");
    let needed: Vec<_> = shown.lines().filter_map(|line| line.trim().strip_prefix("NEEDED")).map(str::trim).collect();
    assert!(needed.contains(&"libc.so.6"), "{needed:?}");
    for library in needed {
        let stem = library.split(".so").next().unwrap();
        let of_the_c_library = ["libc", "libm", "libdl", "libpthread", "librt", "ld-linux-x86-64"];
        assert!(of_the_c_library.contains(&stem), "{library} is not on every image");
    }
    // A path of the machine that built it would differ on another. Those of dependencies are there, for panics.
    let text = String::from_utf8_lossy(content);
    let mut before: Vec<_> = text.split("/registry/src/").collect();
    assert!(before.pop().is_some() && !before.is_empty());
    for before in before {
        let start = before.char_indices().rev().nth(40).map_or(0, |(at, _)| at);
        assert!(before.ends_with("/cargo"), "the handler names a path of its machine: …{}", &before[start..]);
    }
    assert!(!text.contains(root().to_str().unwrap()), "the handler names {}", root().display());
}

#[test]
fn the_folder_for_the_publishing_tools_has_the_same_files() {
    fn walk(folder: &Path, app: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, app, found);
            } else {
                found.insert(path.strip_prefix(app).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    for package in [Package::judged(), Package::fleet()] {
        let mut found = BTreeSet::new();
        walk(&package.app, &package.app, &mut found);
        assert_eq!(found, package.entries.iter().map(|entry| entry.name.clone()).collect());
        for entry in &package.entries {
            let path = package.app.join(&entry.name);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode(), entry.mode, "{}", entry.name);
            assert!(fs::read(&path).unwrap() == entry.content, "{} differs", entry.name);
        }
    }
}

#[test]
fn the_same_files_give_the_same_bytes_on_another_day_in_another_folder() {
    let package = Package::judged();
    let folder = tempfile::tempdir().unwrap();
    // Other names, times, modes, zone, and place to call it from.
    let handler = folder.path().join("a binary");
    fs::write(&handler, &package.handler().content).unwrap();
    let made = Command::new("sh")
        .args(["-c", "umask 077 && exec \"$@\"", "sh"])
        .arg(root().join("scripts/package"))
        .args(["--handler", "a binary", "--output", "some/where", "--level", package.level])
        .current_dir(folder.path())
        .envs([("TZ", "Asia/Tokyo"), ("LC_ALL", "C"), ("PYTHONHASHSEED", "7")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", said(&made));
    let again = fs::read(folder.path().join("some/where/labelstream.zip")).unwrap();
    assert!(again == fs::read(&package.zip).unwrap(), "{}", said(&made));
}
