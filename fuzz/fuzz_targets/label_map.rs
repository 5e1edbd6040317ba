#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    labelstream_oracles::label_map::check(data);
});
