use std::time::Duration;

use link::capture::Reader;

use crate::scene::Scene;

/// The neighbour sends what a capture holds, with pauses as they were; checksums are made right
/// where the stamp is even, so that a frame that was changed is not lost to them.
pub(crate) fn play(scene: &mut Scene, octets: &[u8]) {
    let Ok(mut reader) = Reader::new(octets) else { return };
    let (mut before, mut frames) = (None, 0);
    while frames < FRAMES_MAX {
        let mut played = None;
        let read = reader.next_frame(&mut |captured| {
            played = Some((captured.stamp, captured.octets.to_vec()));
        });
        let (Ok(true), Some((stamp, octets))) = (read, played) else { return };
        let pause = before.map_or(Duration::ZERO, |before| stamp.saturating_sub(before));
        scene.wait(pause.min(PAUSE_MAX));
        scene.say(octets, stamp.subsec_nanos() % 2 == 0);
        scene.poll();
        before = Some(stamp);
        frames += 1;
    }
}

const FRAMES_MAX: usize = 256;

/// Beyond every time-out of a host.
const PAUSE_MAX: Duration = Duration::from_secs(3600);
