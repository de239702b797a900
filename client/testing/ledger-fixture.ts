/** A client and a sequencer that know two accounts, for the client's tests. */

import { preconfirmationTypedData } from "@openledger/circuits/wire/sequencer-preconfirmation";
import { X402_SCHEME, X402_VERSION, x402Network } from "@openledger/circuits/wire/x402-payment";
import { hex32 } from "@openledger/foundation/hex";
import { type Address, pad } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { keyFromSecret, type L2Key } from "../l2-key.ts";
import { type LedgerClient, ledgerDomain } from "../ledger-client.ts";
import type { Preconfirmation } from "../sequencer/sequencer-schemas.ts";
import { clientWithoutL1 } from "./client-without-l1.ts";
import { type FakeSequencer, startFakeSequencer } from "./fake-sequencer.ts";

const operator = privateKeyToAccount(pad("0x09"));
const rollupAddress: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const tokenAddress: Address = "0x00000000000000000000000000000000000000aa";
export const owners = { payer: pad("0x0a", { size: 20 }), recipient: pad("0x0b", { size: 20 }) } as const;

export interface LedgerFixture {
  sequencer: FakeSequencer;
  client: LedgerClient;
  key: L2Key;
  signPreconfirmation(fields: Omit<Preconfirmation, "signature">): Promise<Preconfirmation>;
  close(): Promise<void>;
}

/** A client of the fixture's account, of this process or another, at a sequencer. */
export async function createFixtureClient(sequencerUrl: string): Promise<LedgerClient & { l2Key: L2Key }> {
  const l2Key = await keyFromSecret(pad("0x77"));
  return {
    ...clientWithoutL1({
      sequencerUrl,
      rollupAddress,
      tokenAddress,
      l2Key,
      leafId: null,
      sequencerAddress: operator.address,
      domain: ledgerDomain(31337, rollupAddress),
    }),
    requestTimeoutMs: 5_000,
    l2Key,
  };
}

export async function createLedgerFixture(options: { hasFeed?: boolean } = {}): Promise<LedgerFixture> {
  const sequencer = await startFakeSequencer(options);
  const client = await createFixtureClient(sequencer.url);
  const key = client.l2Key;
  sequencer.answers.set("GET /v1/info", infoAnswer(client));
  sequencer.answers.set("GET /x402/supported", supportedAnswer(client));
  const payer = leafAnswer({ id: 4, l1Owner: owners.payer, keyX: key.keyX, nextNonce: 12 });
  const recipient = leafAnswer({ id: 7, l1Owner: owners.recipient, keyX: 0n, nextNonce: 0 });
  for (const leaf of [payer, recipient]) sequencer.answers.set(`GET /v1/leaves/${leaf.id}`, leaf);
  sequencer.answers.set(`GET /v1/leaves?keyX=${hex32(key.keyX)}`, [payer]);
  return {
    sequencer,
    client,
    key,
    async signPreconfirmation(fields) {
      const signature = await operator.signTypedData(
        preconfirmationTypedData({ chainId: client.chain.id, rollupAddress: client.rollupAddress }, fields),
      );
      return { ...fields, signature };
    },
    close: () => sequencer.close(),
  };
}

function supportedAnswer({ domain, tokenAddress: asset }: LedgerClient): object {
  const extra = { asset, accountUrl: "docs/reference/x402.md#an-account" };
  return { kinds: [{ x402Version: X402_VERSION, scheme: X402_SCHEME, network: x402Network(domain), extra }] };
}

function infoAnswer(client: LedgerClient): object {
  return {
    chainId: client.chain.id,
    rollupAddress,
    tokenAddress,
    domain: hex32(client.domain),
    preconfirmationSigner: operator.address,
    feePerUnitWei: "1000",
    idFeeWei: "5",
    feeAccountId: 1,
    weights: { transfer: 10, withdraw: 40 },
    circuits: [],
    l1Confirmations: 0,
  };
}

export function leafAnswer(fields: { id: number; l1Owner: Address; keyX: bigint; nextNonce: number }) {
  return {
    kind: "account",
    nonce: 0,
    balanceWei: "100000000000000000000",
    chain: hex32(0n),
    openAmountWei: "0",
    counters: {},
    ...fields,
    keyX: hex32(fields.keyX),
  };
}

/** Reply of the sequencer for a model that takes payments. */
export const modelAnswer = (id: number, counters: object = {}) => ({
  ...leafAnswer({ id, l1Owner: owners.recipient, keyX: 0n, nextNonce: 0 }),
  kind: "model",
  counters: {
    isReady: true,
    isApproved: true,
    approvals: 0,
    cap: 8,
    paymentCount: 0,
    epoch: 1,
    priceWei: "7",
    ...counters,
  },
  model: {
    featuresCommitment: "0x1",
    ownersCommitment: "0x2",
    payeeRoot: "0x3",
    binding: "0x4",
    datanetId: 4,
    version: 1,
    furtherDatanets: [],
    epochStart: 1,
    ownerParts: 1,
    validatorParts: 2,
    drawCount: 4,
    featureCount: 20,
  },
  closedEpoch: null,
  payees: [],
});

/** The sequencer's answer about fees that stay the same: of each kind of operation `feeWei`. */
export function feesAnswer(feeWei: bigint): object {
  const cost = { feeWei: `${feeWei}`, nextFeeWei: `${feeWei}`, weight: 14 };
  return {
    mode: "constant",
    feePerUnitWei: "1000",
    nextFeePerUnitWei: "1000",
    suggestedMaxFeePerUnitWei: "2000",
    minFeePerUnitWei: null,
    maxFeePerUnitWei: null,
    stepPerMille: 0,
    load: 0,
    basis: null,
    operations: { createDatanet: cost, transfer: cost, withdraw: cost, payInference: cost },
  };
}
