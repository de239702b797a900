/** Everything about the devnet that one may want to change. */
import { join } from "node:path";
import { parseEther } from "viem";
import type { BatchShape } from "../../circuits/protocol.ts";
import { workspaceDir } from "../cli/workspace.ts";

/**
 * About 243,000 constraints: the most slots in that ratio that a key of 2^18 points holds, and proving costs by the power
 * of two. Four wide slots take the job's four deposits at once.
 */
export const DEVNET_SHAPE: BatchShape = { narrow: 8, wide: 4 };

export const L1_BLOCK_SECONDS = 1;
/** A killed node forgets at most this much; the bridge then treats it as a reorganisation. */
export const L1_SAVE_SECONDS = 2;
/** L1 blocks until the bridge calls a batch final: more than a killed node can forget. */
export const FINALITY_BLOCKS = 12;
/** Longest time that an operation waits for company; proving takes longer anyway. */
export const SEAL_INTERVAL_MS = 8000;
export const RECEIPT_DEADLINE_SECONDS = 86_400;
/** First choices; the next free port is taken where one is in use. */
export const L1_PORT = 8545;
export const SEQUENCER_PORT = 8787;
/** anvil's own, with its well-known accounts: this key and all others here are public. */
export const MNEMONIC = "test test test test test test test test test test test junk";

/** Order of anvil's accounts. The operator only runs the rollup; the faucet deploys and holds the supply. */
export const ACCOUNT_INDEX = {
  operator: 0,
  alice: 1,
  bob: 2,
  carol: 3,
  dave: 4,
  treasury: 8,
  faucet: 9,
} as const;
export type AccountName = keyof typeof ACCOUNT_INDEX;

export const PEOPLE = ["alice", "bob", "carol", "dave"] as const;
export type PersonName = (typeof PEOPLE)[number];

export const FEE_PER_UNIT_WEI = parseEther("0.0001");
export const ID_FEE_WEI = parseEther("0.5");
export const MIN_DEPOSIT_WEI = parseEther("1");
export const QUEUE_BASE_FEE_WEI = parseEther("1");

/** What each person gets on L1, brings into the ledger, and how the rollup gets leave to take it. */
export const DEPOSITS = {
  alice: { fundedWei: parseEther("1000"), depositWei: parseEther("500"), permission: "approve" },
  bob: { fundedWei: parseEther("800"), depositWei: parseEther("400"), permission: "approve" },
  carol: {
    fundedWei: parseEther("600"),
    depositWei: parseEther("300.000000000000000001"),
    permission: "permit",
  },
  dave: { fundedWei: parseEther("400"), depositWei: parseEther("200"), permission: "permit" },
} as const satisfies Record<
  PersonName,
  { fundedWei: bigint; depositWei: bigint; permission: "approve" | "permit" }
>;

export const DATANET_AMOUNT_WEI = parseEther("2");
export const CONTRIBUTORS = ["bob", "carol", "dave"] as const;
/** 3 people · 4 commits · 27 rows = 324 rows. */
export const COMMITS_EACH = 4;
export const ROWS_PER_COMMIT = 27;
/** Sent before the datanet is made (they fill the narrow slots of its batch), and after it. */
export const FIRST_TRANSFER_COUNT = 8;
export const LATER_TRANSFER_COUNT = 32;
export const WITHDRAWAL_WEI = parseEther("25.000000000000000007");
export const FORCED_WITHDRAWAL_WEI = parseEther("10.123456789012345678");

export const devnetPaths = {
  workspace: workspaceDir,
  l1State: join(workspaceDir, "l1-state.json"),
  sequencerData: join(workspaceDir, "sequencer"),
  bridgeData: join(workspaceDir, "bridge"),
  proverData: join(workspaceDir, "prover"),
  operatorToken: join(workspaceDir, "operator-token"),
  journal: join(workspaceDir, "journal.json"),
  processes: join(workspaceDir, "processes.json"),
  logs: join(workspaceDir, "logs"),
} as const;
