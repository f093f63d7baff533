//! The sizes that Fargate has, and the smallest that holds a family.

use super::Size;

/// A CPU size with the memory that goes with it, in MiB: least, most, step.
const TIERS: [(u32, u32, u32, u32); 7] = [
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16_384, 1024),
    (4096, 8192, 30_720, 1024),
    (8192, 16_384, 61_440, 4096),
    (16_384, 32_768, 122_880, 8192),
];

/// What is the largest: for findings.
pub(super) const LARGEST: Size = Size { cpu: 16_384, memory: 122_880 };

/// The smallest size with at least this much of both.
pub(super) fn smallest(cpu: u32, memory: u32) -> Option<Size> {
    let (tier_cpu, least, _, step) = TIERS.into_iter().find(|(tier_cpu, _, most, _)| *tier_cpu >= cpu && *most >= memory)?;
    let steps = memory.saturating_sub(least).div_ceil(step);
    let memory = least + steps * step;
    // A quarter of a CPU goes with half, one or two GB, but not with one and a half.
    let memory = if tier_cpu == 256 && memory == 1536 { 2048 } else { memory };
    Some(Size { cpu: tier_cpu, memory })
}

#[cfg(test)]
mod tests {
    use super::{LARGEST, smallest};
    use crate::stack::Size;

    #[test]
    fn the_smallest_legal_size_holds_what_is_asked_for() {
        for ((cpu, memory), (legal_cpu, legal_memory)) in [
            ((0, 0), (256, 512)),
            ((256, 1100), (256, 2048)),
            ((256, 2049), (512, 3072)),
            ((1024, 2048), (1024, 2048)),
            ((1024, 1024), (1024, 2048)),
            ((2048, 4096), (2048, 4096)),
            ((1025, 2048), (2048, 4096)),
            ((1024, 9000), (2048, 9216)),
            ((8192, 17_000), (8192, 20_480)),
            ((16_384, 122_880), (16_384, 122_880)),
        ] {
            assert_eq!(smallest(cpu, memory), Some(Size { cpu: legal_cpu, memory: legal_memory }), "{cpu} {memory}");
        }
        assert_eq!(smallest(65_536, 4096), None);
        assert_eq!(smallest(256, LARGEST.memory + 1), None);
    }
}
