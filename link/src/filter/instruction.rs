use nix::libc;

/// One instruction of a [`Filter`](super::Filter), the kernel's `struct sock_filter`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// Instructions to skip if a comparison holds.
    pub jt: u8,
    /// Instructions to skip if it does not.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

pub(super) const fn load_half(at: usize) -> Instruction {
    Instruction { code: LOAD_HALF, jt: 0, jf: 0, k: at as u32 }
}

pub(super) const fn load_word(at: usize) -> Instruction {
    Instruction { code: LOAD_WORD, jt: 0, jf: 0, k: at as u32 }
}

pub(super) const fn if_equal(k: u32, skip: u8) -> Instruction {
    Instruction { code: JUMP_EQUAL, jt: skip, jf: 0, k }
}

pub(super) const fn unless_equal(k: u32, skip: u8) -> Instruction {
    Instruction { code: JUMP_EQUAL, jt: 0, jf: skip, k }
}

pub(super) const fn unless_at_least(k: u32, skip: u8) -> Instruction {
    Instruction { code: JUMP_AT_LEAST, jt: 0, jf: skip, k }
}

pub(super) const fn if_greater(k: u32, skip: u8) -> Instruction {
    Instruction { code: JUMP_GREATER, jt: skip, jf: 0, k }
}

pub(super) const ACCEPT: Instruction = Instruction { code: RETURN, jt: 0, jf: 0, k: u32::MAX };
pub(super) const REJECT: Instruction = Instruction { code: RETURN, jt: 0, jf: 0, k: 0 };
pub(super) const LOAD_HALF: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_ABS) as u16;
pub(super) const LOAD_WORD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
pub(super) const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
pub(super) const JUMP_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
pub(super) const JUMP_GREATER: u16 = (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16;
pub(super) const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
