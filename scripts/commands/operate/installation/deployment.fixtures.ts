/** A deployment record for tests that reach no chain. */
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { privateKeyToAccount } from "viem/accounts";

export const SAMPLE_OPERATOR_KEY = `0x${"5".repeat(64)}` as const;
const OWNER = privateKeyToAccount(SAMPLE_OPERATOR_KEY).address;

export const sampleDeployment: Deployment = {
  chainId: 1337,
  // Nothing listens on port 1.
  rpcUrl: "http://user:password@127.0.0.1:1",
  tokenAddress: `0x${"1".repeat(40)}`,
  rollupAddress: `0x${"2".repeat(40)}`,
  deployedAtBlock: 1,
  domain: 1n,
  genesis: { treasuryOwner: OWNER, operatorOwner: OWNER, operatorKeyX: 1n, root: 1n },
  idFeeWei: 1n,
  circuits: [
    {
      name: "leaf-exit",
      sort: 3,
      size0: 0,
      size1: 0,
      circuitId: 1n,
      isDevelopment: false,
      contentHash: "none",
      zkeyPath: "/nowhere/keys/leaf-exit.zkey",
      wasmPath: "/nowhere/leaf-exit.wasm",
      verificationKeyPath: "/nowhere/keys/verification-key.json",
    },
  ],
};
