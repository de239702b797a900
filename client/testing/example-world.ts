/** Declarations for the examples in the docstrings of client/. The compiler alone reads it: nothing here runs. */

import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { ModelRegistration } from "@openledger/attribution/model/registration";
import type { ModelBinding } from "@openledger/circuits/ledger/leaf";
import type { SettlingCircuits } from "@openledger/circuits/registry/circuit-sizes";
import type { Card } from "@openledger/datanets/card/card";
import type { Openings } from "@openledger/models/settling/model-openings";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";
import type { RollupCircuit } from "@openledger/verifier/circuits/rollup-circuits";
import type { RestoredLedger } from "@openledger/verifier/restore/restore-ledger";
import type { Address, LocalAccount } from "viem";
import type { CheckableModel } from "../actions/answers/model-answers.ts";
import type { RowStore } from "../actions/data/row-store.ts";
import type { ProvenSettlement } from "../actions/l1/send-settlement.ts";
import type { L1Proposal } from "../l1-proposal.ts";
import type { LedgerClient } from "../ledger-client.ts";
import type { SafeProposal } from "../safe/safe-transaction.ts";
import type { WalletProvider } from "../wallet.ts";

export declare const client: LedgerClient;
export declare const account: LocalAccount;
/** A wallet of the browser, or a Safe's. */
export declare const provider: WalletProvider;
/** A proposal to a contract wallet. */
export declare const proposal: L1Proposal;
/** A proposal to a Safe, and what somebody has sent about it. */
export declare const safeProposal: SafeProposal;
export declare const text: string;
export declare const rpcUrl: string;
export declare const rollupAddress: Address;
export declare const safeAddress: Address;
export declare const sequencerUrl: string;
/** URL of the model's server. */
export declare const serverUrl: string;

/** Datanet hosts, a card, and the SHA-256 of a row. */
export declare const hostUrl: string;
export declare const otherUrl: string;
export declare const card: Card;
export declare const digest: string;
export declare const store: RowStore;
export declare const rows: readonly Uint8Array[];
export declare const rowsRoot: bigint;

/** The customer's own copy of the model, and everything that its owner publishes. */
export declare const model: CheckableModel;
export declare const published: PublishedModel;
/** Result of `registerModel` of attribution/. */
export declare const registration: ModelRegistration;
export declare const binding: ModelBinding;
/** An answer's receipt. */
export declare const receipt: bigint;
export declare const openings: Openings;

/** The rollup's circuits; the one that settles the model, and its keys. */
export declare const circuits: readonly RollupCircuit[];
export declare const circuit: RollupCircuit;
export declare const settling: SettlingCircuits<RollupCircuit>;
export declare const proving: ProvingCircuit;
export declare const settlement: ProvenSettlement;
/** The ledger of a frozen rollup, rebuilt from L1. */
export declare const restored: RestoredLedger;
