//! What `scripts/package` refuses to pack, and what it builds: with scripts in place of cargo and readelf, so that they say
//! what a test wants. The real ones make the package that `PACKAGE_ZIP` names.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Output};

use tempfile::TempDir;

use crate::made::{root, said, script};

/// What readelf says of a program that starts on every image.
const FINE: &str = "case $1 in
--file-header) echo '  Machine:   Advanced Micro Devices X86-64' ;;
--version-info) echo '  0x0010:   Name: GLIBC_2.9  Flags: none' ; echo '  0x0020:   Name: GLIBC_2.28  Flags: none' ;;
--dynamic) echo ' 0x0001 (NEEDED)   Shared library: [libc.so.6]' ;;
esac";

/// A folder with stand-ins, which come first on PATH, and the output.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        bench.stand_in("readelf", FINE);
        fs::write(bench.path("program"), "a program").unwrap();
        bench
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn stand_in(&self, name: &str, does: &str) {
        let bin = self.0.path().join("bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join(name), format!("#!/bin/sh\n{does}\n")).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let path = format!("{}:{}", self.path("bin"), std::env::var("PATH").unwrap());
        let output = self.path("output");
        script(arguments)
            .args(["--output", &output])
            .env("PATH", path)
            .env("CARGO_TARGET_DIR", self.path("target folder"))
            .env("SEEN", self.path("seen"))
            .output()
            .unwrap()
    }

    /// Packs the program; the exit status and what was said.
    fn pack(&self) -> (Option<i32>, String) {
        let output = self.run(&["--handler", &self.path("program")]);
        (output.status.code(), said(&output))
    }

    /// Stand-ins for the tools that build: the binary is `a build`, and what cargo was asked is kept.
    fn builds(&self) {
        self.stand_in("cargo-zigbuild", "exit 1");
        self.stand_in(
            "cargo",
            "printf '%s\\n' \"$@\" >\"$SEEN\"; printf %s \"$CARGO_ENCODED_RUSTFLAGS\" | tr '\\037' '\\n' >>\"$SEEN\"
            folder=$CARGO_TARGET_DIR/x86_64-unknown-linux-gnu/$4
            mkdir -p \"$folder\" && printf 'a build' >\"$folder/labelstream\"",
        );
    }

    fn packed_handler(&self) -> Option<String> {
        fs::read_to_string(Path::new(&self.path("output/app/handler"))).ok()
    }
}

#[test]
fn a_binary_that_starts_on_every_image_is_packed_without_a_word_of_warning() {
    let bench = Bench::new();
    let (status, said) = bench.pack();
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("labelstream.zip: Status/function.json, TimerPull/function.json, handler, host.json; "),
        "{said}"
    );
    assert!(!said.contains("warning"), "{said}");
    assert_eq!(bench.packed_handler().as_deref(), Some("a program"));
}

#[test]
fn what_keeps_a_given_binary_from_starting_on_an_older_image_is_told() {
    let bench = Bench::new();
    let newer = FINE
        .replace("GLIBC_2.9 ", "GLIBC_2.34 ")
        .replace("[libc.so.6]'", "[libc.so.6]'; echo '(NEEDED) [libssl.so.3]'");
    bench.stand_in("readelf", &newer);
    let (status, said) = bench.pack();
    assert_eq!(status, Some(0), "{said}");
    let told = "program does not start on every image of Azure Functions: it needs GLIBC_2.34, and an image may have no \
                more than 2.28; libssl.so.3 is needed, which is no part of the C library";
    assert!(said.contains(told), "{said}");
}

#[test]
fn what_is_no_program_for_linux_on_x86_64_is_not_packed() {
    let bench = Bench::new();
    bench.stand_in("readelf", &FINE.replace("Advanced Micro Devices X86-64", "AArch64"));
    let (status, said) = bench.pack();
    assert_eq!(status, Some(1));
    assert!(said.contains("program is no program for x86-64"), "{said}");

    bench.stand_in("readelf", "echo 'readelf: Error: Not an ELF file' >&2; exit 1");
    let (status, said) = bench.pack();
    assert_eq!(status, Some(1));
    assert!(said.contains("program is no program for Linux"), "{said}");

    fs::remove_file(bench.path("program")).unwrap();
    let (status, said) = bench.pack();
    assert_eq!(status, Some(1));
    assert!(said.contains(&format!("there is no file {}", bench.path("program"))), "{said}");
    assert_eq!(bench.packed_handler(), None);
}

#[test]
fn it_builds_for_the_older_c_library_and_names_no_path_of_this_machine() {
    let bench = Bench::new();
    bench.builds();
    let output = bench.run(&["--profile", "small"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(bench.packed_handler().as_deref(), Some("a build"));
    let seen = fs::read_to_string(bench.path("seen")).unwrap();
    let (asked, flags) = seen.split_at(seen.find("--remap").unwrap());
    let target = bench.path("target folder");
    let wanted = format!(
        "zigbuild --locked --profile small --target x86_64-unknown-linux-gnu.2.28 --target-dir {target} --bin labelstream "
    );
    assert_eq!(asked.replace('\n', " "), wanted);
    for flag in [format!("={}=/labelstream", root().display()), format!("={target}=/labelstream/target")] {
        assert!(flags.lines().any(|line| line == format!("--remap-path-prefix{flag}")), "{flag}: {flags}");
    }
    assert!(flags.contains("=/cargo\n") && flags.contains("/lib/rustlib/src/rust=/rustc/"), "{flags}");
}

#[test]
fn a_build_that_failed_or_needs_a_newer_c_library_leaves_the_earlier_package() {
    let bench = Bench::new();
    bench.builds();
    assert_eq!(bench.pack().0, Some(0));
    bench.stand_in("readelf", &FINE.replace("GLIBC_2.28 ", "GLIBC_2.29 "));
    let output = bench.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("it needs GLIBC_2.29, and an image may have no more than 2.28"),
        "{}",
        said(&output)
    );

    bench.stand_in("readelf", FINE);
    bench.stand_in("cargo", "echo 'error: it does not compile' >&2; exit 101");
    let output = bench.run(&[]);
    assert!(!output.status.success());
    assert!(said(&output).contains("it does not compile"));
    assert_eq!(bench.packed_handler().as_deref(), Some("a program"));
    let left: Vec<_> = fs::read_dir(bench.path("output")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_folder_that_it_did_not_make_is_left_alone() {
    let bench = Bench::new();
    let other = bench.path("output/app/precious");
    fs::create_dir_all(&other).unwrap();
    let (status, said) = bench.pack();
    assert_eq!(status, Some(1));
    assert!(said.contains("output/app is there and is no earlier package"), "{said}");
    assert!(Path::new(&other).is_dir());
}

#[test]
fn the_two_packages_lie_beside_each_other() {
    let bench = Bench::new();
    bench.pack();
    let zip = fs::read(bench.path("output/labelstream.zip")).unwrap();
    let output = bench.run(&["--fleet", "--handler", &bench.path("program")]);
    assert!(output.status.success(), "{}", said(&output));
    let told = "labelstream-fleet.zip: FleetPull/function.json, FleetTimer/function.json, Status/function.json, handler, \
                host.json; ";
    assert!(said(&output).contains(told), "{}", said(&output));
    assert!(fs::read(bench.path("output/labelstream.zip")).unwrap() == zip, "the other is as it was");
    let mut left: Vec<_> =
        fs::read_dir(bench.path("output")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["app", "fleet", "labelstream-fleet.zip", "labelstream.zip"]);
}

#[test]
fn a_package_can_be_packed_again_from_its_own_folder() {
    let bench = Bench::new();
    bench.pack();
    let output = bench.run(&["--handler", &bench.path("output/app/handler")]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(bench.packed_handler().as_deref(), Some("a program"));
}

#[test]
fn wrong_use_is_told_with_exit_status_2() {
    for (arguments, told) in [
        (&["--fast"][..], "unknown argument --fast; see --help"),
        (&["--handler"], "--handler needs a value; see --help"),
        (&["--level", "10"], "--level is 10, and should be a digit from 0 to 9"),
    ] {
        let output = script(arguments).output().unwrap();
        assert_eq!((output.status.code(), said(&output)), (Some(2), format!("package: {told}\n")), "{arguments:?}");
    }
    let help = said(&script(&["--help"]).output().unwrap());
    let script = fs::read_to_string(root().join("scripts/package")).unwrap();
    let options = script.split("--handler | ").nth(1).unwrap().split(')').next().unwrap();
    for option in options.split(" | ").chain(["--handler", "--fleet"]) {
        assert!(help.contains(&format!("scripts/package {option} ")), "{option}: {help}");
    }
}
