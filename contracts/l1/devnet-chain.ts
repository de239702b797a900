/** Chain of devnets, whose nodes, keys and accounts belong to anybody. Contracts accept development keys there alone. */

/** Chain id of anvil and Hardhat, as BatchVerifier.DEVELOPMENT_CHAIN_ID has it. */
export const DEVNET_CHAIN_ID = 31_337;
