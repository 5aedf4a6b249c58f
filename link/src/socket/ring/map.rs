//! The memory of a ring, and all of its `unsafe`.

#![expect(unsafe_code, reason = "no library lends memory that is shared with the kernel")]

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    ptr::{self, NonNull},
    slice,
    sync::atomic::{AtomicU32, Ordering},
};

use nix::libc;

/// Memory shared with the kernel, in equal parts; each has a word that says whose it is.
pub(super) struct Map {
    base: NonNull<u8>,
    /// Octets of a part.
    part: usize,
    count: usize,
    /// Where in a part its word stands.
    status: usize,
}

// SAFETY: a map owns its memory as a `Vec` does; which thread uses it makes no difference.
unsafe impl Send for Map {}

impl Map {
    /// Maps the ring of `fd`: `count` parts of `part` octets.
    pub(super) fn new(fd: &OwnedFd, part: usize, count: usize, status: usize) -> io::Result<Self> {
        let len = part.checked_mul(count).filter(|&len| len <= isize::MAX as usize);
        let aligned = part.is_multiple_of(WORD) && status.is_multiple_of(WORD);
        let (Some(len), true, true) = (len, aligned, status + WORD <= part) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the kernel chooses where, so nothing that is there is replaced.
        let base = unsafe {
            libc::mmap(ptr::null_mut(), len, protection, libc::MAP_SHARED, fd.as_raw_fd(), 0)
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, part, count, status })
    }

    /// How many parts there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Octets of all of them.
    pub(super) fn octets(&self) -> usize {
        self.part * self.count
    }

    /// Whether the part `n` is there, and ours until it is released.
    #[inline]
    pub(super) fn is_ours(&self, n: usize) -> bool {
        self.word(n).is_some_and(|word| word.load(Ordering::Acquire) & libc::TP_STATUS_USER != 0)
    }

    /// The octets of the part `n`, if it is ours.
    #[inline]
    pub(super) fn part(&mut self, n: usize) -> Option<&mut [u8]> {
        if !self.is_ours(n) {
            return None;
        }
        // SAFETY: `n` is below `count`, so the part lies in the mapping, which lasts as long as
        // `self`. Its status is USER, so the kernel writes nothing there until `release`, which
        // the borrow of `self` rules out for as long as the slice is used.
        Some(unsafe { slice::from_raw_parts_mut(self.base.add(n * self.part).as_ptr(), self.part) })
    }

    /// Gives the part `n` back to the kernel, if it is ours.
    pub(super) fn release(&mut self, n: usize) {
        if let Some(word) = self.word(n).filter(|_| self.is_ours(n)) {
            word.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        }
    }

    #[inline]
    fn word(&self, n: usize) -> Option<&AtomicU32> {
        if n >= self.count {
            return None;
        }
        // SAFETY: `n` is below `count` and the word within its part, so it lies in the mapping,
        // which lasts as long as `self`; `new` saw to its alignment. The kernel accesses it as we
        // do, and a slice that covers it cannot be there while `self` is borrowed.
        Some(unsafe {
            AtomicU32::from_ptr(self.base.add(n * self.part + self.status).as_ptr().cast())
        })
    }
}

/// Asks the memory for what stands at `at`, so that it is at hand soon: the kernel wrote it on
/// another processor.
#[inline(always)]
pub(super) fn fetch(octets: &[u8], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if at < octets.len() {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

        let start = octets.as_ptr().wrapping_add(at).cast();
        // SAFETY: a prefetch changes nothing and cannot fault, whatever the address.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(start);
            _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(LINE));
            _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(2 * LINE));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (octets, at); // what else there is does so by itself
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: it is exactly what `mmap` returned, and no borrow of it outlives `self`.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.octets()) };
    }
}

/// Octets that the memory answers with: the kernel's header and the frame's are in two or three
/// such lines.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Octets of a status, and of its alignment.
const WORD: usize = size_of::<u32>();
