//! The README and the guides show what the program really says.

#[test]
fn every_console_block_of_the_readme_is_what_the_program_says() {
    trycmd::TestCases::new().case("../README.md").run();
}

#[test]
fn every_console_block_of_the_guide_to_scale_is_what_the_program_says() {
    trycmd::TestCases::new().case("../docs/scale.md").run();
}
