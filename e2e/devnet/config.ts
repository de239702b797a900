/** Everything about the devnet that one may want to change. */
import { join } from "node:path";
import type { RewardSplit } from "@openledger/circuits/ledger/rewards";
import type { TableShape } from "@openledger/circuits/table/table-shape";
import type { GovernanceOptions } from "@openledger/contracts/build/governance";
import { workspaceDir } from "@openledger/scripts/cli/workspace";
import { installationPaths } from "@openledger/scripts/commands/operate/installation/installation";
import { parseEther } from "viem";

/**
 * 126,403 constraints, and its twin for blobs 131,026: what a key of 2^17 points holds. Proving costs by the power of two, and
 * whoever uses a devnet waits for a batch of one operation. Ids below 512 have a place in the table.
 */
export const DEVNET_TABLE: TableShape = {
  transfers: 4,
  members: 2,
  wide: 3,
  rows: 6,
  units: 2,
  low: 1,
  top: 2,
};
/**
 * Table for strangers who post the queue or a settlement without the operator: 108,717 constraints, for a key of 2^17
 * points. The sequencer closes no batch with it.
 */
export const SMALL_TABLE: TableShape = {
  transfers: 1,
  members: 1,
  wide: 3,
  rows: 2,
  units: 1,
  low: 1,
  top: 1,
};

/** The sequencer's bond, in wei of ETH. */
export const BOND_WEI = parseEther("10");
export const L1_BLOCK_SECONDS = 1;
/** A killed node forgets at most this much; the bridge then treats it as a reorganisation. */
export const L1_SAVE_SECONDS = 2;
/**
 * L1 blocks until the bridge calls a batch final: three times what a killed node forgets by the clock. A burst of transactions,
 * a block each, is more than any depth that people would wait for.
 */
export const FINALITY_BLOCKS = 6;
/**
 * Longest time that an operation waits for company. The devnet closes batches itself: its job when all that comes is there,
 * and later `closeWhenIdle`.
 */
export const CLOSE_INTERVAL_MS = 120_000;
/** Between two looks of the bridge for a block: a tenth of what a proof takes. */
export const NEWS_INTERVAL_MS = 100;
export const PRECONFIRMATION_DEADLINE_SECONDS = 86_400;
/** First choices; the next free port is taken where one is in use. */
export const L1_PORT = 8545;
export const SEQUENCER_PORT = 8787;
export const ANSWER_SERVER_PORT = 8797;
export const DATANET_HOST_PORT = 8560;
export const FACTORY_PORT = 8570;

/** Accounts that anvil gives ether to. */
export const L1_ACCOUNT_COUNT = 14;

/** Order of anvil's accounts. The operator only runs the rollup; the faucet deploys and holds the supply. */
export const ACCOUNT_INDEX = {
  operator: 0,
  alice: 1,
  bob: 2,
  carol: 3,
  dave: 4,
  vera: 5,
  walt: 6,
  mia: 7,
  treasury: 8,
  faucet: 9,
  nina: 10,
  visitorA: 11,
  visitorB: 12,
  visitorFaucet: 13,
} as const;
export type AccountName = keyof typeof ACCOUNT_INDEX;

/**
 * alice owns the datanet; bob, carol and dave contribute, vera and walt vouch for rows; mia owns the model; nina and
 * alice ask it.
 */
export const PEOPLE = ["alice", "bob", "carol", "dave", "vera", "walt", "mia", "nina"] as const;
export type PersonName = (typeof PEOPLE)[number];
/** Senders of the planned transfers. */
export const TRADERS = ["alice", "bob", "carol", "dave"] as const;

export const FEE_PER_UNIT_WEI = parseEther("0.0001");
export const ID_FEE_WEI = parseEther("0.5");
export const MIN_DEPOSIT_WEI = parseEther("1");
export const QUEUE_BASE_FEE_WEI = parseEther("1");
/** A vote ends within minutes; what it decides waits 30 days, as the contract will have it. The faucet holds a quorum. */
export const GOVERNANCE = {
  delaySeconds: 30n * 86_400n,
  votingDelayBlocks: 5,
  votingPeriodBlocks: 120,
  proposalThresholdWei: parseEther("100"),
  quorumPercent: 4,
} as const satisfies GovernanceOptions;

/**
 * Funds of the pages' test wallets on L1, and of their faucet (`web/ledger/test-wallet.ts`). The job uses none of these
 * accounts, so no visitor takes a nonce of its transactions.
 */
export const VISITORS_WEI = {
  visitorA: parseEther("1000"),
  visitorB: parseEther("1000"),
  visitorFaucet: parseEther("10000000"),
} as const satisfies Partial<Record<AccountName, bigint>>;

/** Funds of each person on L1, the deposit into the ledger, and the way in which the rollup is allowed to take it. */
export const DEPOSITS = {
  alice: { fundedWei: parseEther("1000"), depositWei: parseEther("500"), permission: "approve" },
  bob: { fundedWei: parseEther("800"), depositWei: parseEther("400"), permission: "approve" },
  carol: {
    fundedWei: parseEther("600"),
    depositWei: parseEther("300.000000000000000001"),
    permission: "permit",
  },
  dave: { fundedWei: parseEther("400"), depositWei: parseEther("200"), permission: "permit" },
  vera: { fundedWei: parseEther("20"), depositWei: parseEther("10"), permission: "permit" },
  walt: { fundedWei: parseEther("20"), depositWei: parseEther("10"), permission: "permit" },
  mia: { fundedWei: parseEther("50"), depositWei: parseEther("20"), permission: "permit" },
  nina: { fundedWei: parseEther("200"), depositWei: parseEther("100"), permission: "permit" },
} as const satisfies Record<
  PersonName,
  { fundedWei: bigint; depositWei: bigint; permission: "approve" | "permit" }
>;

export const DATANET_AMOUNT_WEI = parseEther("2");
export const CONTRIBUTORS = ["bob", "carol", "dave"] as const;
export type ContributorName = (typeof CONTRIBUTORS)[number];
export const CUSTOMERS = ["nina", "alice"] as const;
export const COMMITS_EACH = 4;

/** First balance of a model: it pays the fee of its CloseEpoch. */
export const MODEL_AMOUNT_WEI = parseEther("1");
/** Price of one answer. */
export const PRICE_WEI = parseEther("0.5");
/** A fifth for the model's owner; of what rows earn, an eighth for the validator. 65,536ths. */
export const SPLIT: RewardSplit = { ownerParts: 13_107n, validatorParts: 8_192n };
/** A published version waits this long for approvals, and somewhat longer for the clocks' sake. */
export const APPROVAL_MARGIN_SECONDS = 120;
/** Sent before the datanet is made (they fill the transfers' section of its batch), and after it. */
export const FIRST_TRANSFER_COUNT = 4;
export const LATER_TRANSFER_COUNT = 36;
export const WITHDRAWAL_WEI = parseEther("25.000000000000000007");
export const FORCED_WITHDRAWAL_WEI = parseEther("10.123456789012345678");

const home = workspaceDir();
export const devnetPaths = {
  workspace: home,
  l1State: join(home, "l1-state.json"),
  sequencerData: join(home, "sequencer"),
  /** Store of the full node that checks everything in the end. */
  fullNode: join(home, "full-node"),
  bridgeData: join(home, "bridge"),
  /** mia's model, as published. */
  model: join(home, "model"),
  /** The same of the model that is tuned on speeches, and cites them. */
  speechModel: join(home, "speech-model"),
  /** Published models by their leaves, as the answer server looks for them. */
  published: join(home, "published"),
  /** Data of the answer server: proofs of settlements, compiled adapters. */
  serving: join(home, "serving"),
  /** PostgreSQL of the Datanet host, the answer server and the factory. */
  database: join(home, "database"),
  /** Withdrawals and answers that the Datanet host puts in again where the database was put back. */
  datanetJournal: join(home, "datanet-journal"),
  /** Folder of a Datanet host of an earlier version, which this one refuses. */
  earlierDatanetData: join(home, "datanets"),
  factoryData: join(home, "factory"),
  watcher: join(home, "watcher"),
  /** Folders as PEFT writes them: whatever is put here can be asked. */
  adapters: join(home, "adapters"),
  /** Folders of rows of people who share none with each other. */
  people: join(home, "people"),
  operatorToken: installationPaths(home).operatorToken,
  serverToken: installationPaths(home).serverToken,
  journal: join(home, "journal.json"),
  processes: join(home, "processes.json"),
  logs: join(home, "logs"),
} as const;
