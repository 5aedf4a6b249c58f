//! A whole host, or many in one, in virtual time, on a network where one neighbour sends whatever it
//! likes and the link itself is meddled with; what it sends may be a capture, played.

#![no_main]

mod frames;
mod play;
mod scene;
mod setting;
mod step;

use libfuzzer_sys::{
    arbitrary::{self, Arbitrary, Unstructured},
    fuzz_target,
};

use crate::{play::play, scene::Scene, setting::Setting, step::Step};

fuzz_target!(|input: Input<'_>| {
    let mut scene = Scene::new(&input.setting);
    match &input.script {
        Script::Capture(octets) => play(&mut scene, octets),
        Script::Steps(steps) => {
            for step in steps {
                scene.take(step);
                scene.poll();
            }
        }
    }
    scene.settle();
});

#[derive(Debug)]
struct Input<'a> {
    setting: Setting,
    script: Script<'a>,
}

#[derive(Debug)]
enum Script<'a> {
    Capture(&'a [u8]),
    Steps(Vec<Step<'a>>),
}

/// Three octets, then a capture as it stands in its file if the first of them is zero.
impl<'a> Arbitrary<'a> for Input<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let [kind, setting, seed] = u.arbitrary()?;
        let script = match kind {
            0 => Script::Capture(u.bytes(u.len())?),
            _ => Script::Steps(u.arbitrary()?),
        };
        Ok(Self { setting: Setting::read([setting, seed]), script })
    }

    fn arbitrary_take_rest(mut u: Unstructured<'a>) -> arbitrary::Result<Self> {
        Self::arbitrary(&mut u)
    }
}
