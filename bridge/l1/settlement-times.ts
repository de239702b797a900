/** The contract's rules of time for settlements (docs/reference/settlement.md, "On L1"). A test compares them with the contract. */

/** Blocks between the one that took a CloseEpoch's batch and the one that gives its randomness. */
export const RANDOMNESS_DELAY_BLOCKS = 128;
/** Blocks whose hash L1 still knows (EIP-2935): later, the randomness of a CloseEpoch is missed for good. */
export const BLOCK_HASH_WINDOW_BLOCKS = 8_191;
/** Seconds after which anyone may pre-verify a settlement. */
export const OPEN_SETTLEMENT_DELAY_SECONDS = 3 * 24 * 60 * 60;
/** Seconds after which an epoch may be settled by row counts alone. */
export const DEFAULT_SPLIT_DELAY_SECONDS = 14 * 24 * 60 * 60;
