/**
 * A Safe of 2 of 3 (its real contracts, on a real node) owns an account of a real sequencer: its owners propose, sign and execute, and
 * everything that must not count is refused by name.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { openTokenAbi } from "@openledger/contracts/build/rollup-abi";
import { rollupUserAbi } from "@openledger/contracts/build/rollup-user-abi";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { ANY_FEE, OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { createWorldHere } from "@openledger/e2e/testing/here";
import {
  type Abi,
  type Address,
  concat,
  encodeFunctionData,
  type Hex,
  keccak256,
  numberToHex,
  pad,
  parseAbi,
  slice,
  stringToHex,
} from "viem";
import { waitForTransactionReceipt } from "viem/actions";
import { afterAll, beforeAll, expect, it } from "vitest";
import { transfer } from "../actions/ledger/account-operations.ts";
import { createRandomKey, type L2Key } from "../l2-key.ts";
import { createLedgerClient, type LedgerClient } from "../ledger-client.ts";
import { delegateWords, readLeafOwner } from "../safe/leaf-owner.ts";
import { readSafe } from "../safe/read-safe.ts";
import {
  packProposal,
  readProposal,
  type SafeProposal,
  safeTxHashOf,
  safeTypedData,
  unpackProposal,
  writeProposal,
} from "../safe/safe-transaction.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";
import { deploySafe, type SafeWallet } from "../testing/safe-wallet.ts";
import {
  addSafeSignatures,
  executeSafeProposal,
  proposeAllowance,
  proposeBySafe,
  readSafeProposalState,
  signSafeProposal,
  takeSafeProposal,
} from "./own-by-safe.ts";

const [ANNA, BEN, CLEO, STRANGER] = [6, 7, 8, 9].map(anvilAccount) as [
  ReturnType<typeof anvilAccount>,
  ReturnType<typeof anvilAccount>,
  ReturnType<typeof anvilAccount>,
  ReturnType<typeof anvilAccount>,
];
/** First account of the fixture. */
const LEAF = 2;
const SELF_ABI = parseAbi([
  "function removeOwner(address previous, address owner, uint256 threshold)",
  "function addOwnerWithThreshold(address owner, uint256 threshold)",
  "function changeThreshold(uint256 threshold)",
  "function enableModule(address module)",
  "function approveHash(bytes32 hash)",
]);
const folder = mkdtempSync(join(tmpdir(), "own-by-safe-"));
let world: Awaited<ReturnType<typeof createWorldHere>>;
let safe: SafeWallet;
let delegate: L2Key;
let anna: LedgerClient;
let ben: LedgerClient;
let cleo: LedgerClient;
let stranger: LedgerClient;

beforeAll(async () => {
  const f = await startHistoryFixture();
  safe = await deploySafe(f.rpcUrl, [ANNA, BEN, CLEO], 2);
  safe.signers = [ANNA, CLEO];
  delegate = await createRandomKey();
  const { alice, holder } = f.l1.roles;
  const opened = [90n * OPEN, safe.address, delegate.keyX, ANY_FEE] as const;
  await f.l1.rollup.write.depositNew(opened, { account: alice });
  await f.l1.token.write.transfer([safe.address, 50n * OPEN], { account: holder });
  world = await createWorldHere({ f, folder });
  await world.closeOpen();
  const deployment = {
    rpcUrl: world.rpcUrl,
    rollupAddress: f.rollup.address,
    sequencerUrl: world.sequencerUrl,
  };
  [anna, ben, cleo, stranger] = (await Promise.all(
    [ANNA, BEN, CLEO, STRANGER].map((wallet) => createLedgerClient({ ...deployment, wallet })),
  )) as [LedgerClient, LedgerClient, LedgerClient, LedgerClient];
});
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const nextNonce = async () => (await readSafe(anna.l1, safe.address)).nonce;
/** A proposal as others get it: as text. */
const passedOn = (proposal: SafeProposal) => readProposal(writeProposal(proposal));
const keyProposal = async (more: { nonce?: number; maxFeeWei?: bigint } = {}) =>
  proposeBySafe(anna, {
    safe: safe.address,
    operation: { type: "setKey", id: LEAF, keyX: (await createRandomKey()).keyX },
    ...more,
  });
const signedBy = async (proposal: SafeProposal, ...clients: LedgerClient[]) => {
  let signed = proposal;
  for (const client of clients) signed = await signSafeProposal(client, passedOn(signed));
  return signed;
};
/** Has the Safe call itself, as its owners' other software does. */
async function callItself(
  functionName: "removeOwner" | "addOwnerWithThreshold" | "changeThreshold" | "enableModule",
  args: readonly unknown[],
) {
  const before = await nextNonce();
  const data = encodeFunctionData({ abi: SELF_ABI as Abi, functionName, args });
  await safe.request({ method: "eth_sendTransaction", params: [{ to: safe.address, data }] });
  await expect.poll(nextNonce).toBe(before + 1);
}
const refused = (call: Promise<unknown>) =>
  call.then(
    () => "no error",
    ({ code, data }: { code: string; data: { reason?: string } }) => `${code} ${data?.reason}`,
  );

it("replaces the delegate: one proposes and signs, another signs elsewhere, a third executes", async () => {
  const allowance = await proposeAllowance(anna, { safe: safe.address, amountWei: 20n * OPEN });
  const next = await createRandomKey();
  const operation = { type: "setKey", id: LEAF, keyX: next.keyX } as const;
  const rotation = await proposeBySafe(anna, { safe: safe.address, operation, nonce: allowance.nonce + 1 });
  const [one, two] = [await signedBy(allowance, anna), await signedBy(rotation, anna, ben)];

  const waiting = await readSafeProposalState(cleo, passedOn(one));
  expect(waiting).toMatchObject({
    status: "waits",
    signedCount: 1,
    call: { kind: "allowance", amountWei: 20n * OPEN },
  });
  expect(waiting.safe).toMatchObject({ threshold: 2, version: "1.4.1", modules: [], guards: [] });
  expect(waiting.owners.map(({ state }) => state)).toEqual(["signed", "waiting", "waiting"]);
  expect(await refused(executeSafeProposal(cleo, { proposal: one }))).toBe(
    "CLI_SAFE_PROPOSAL_REFUSED not-enough",
  );
  expect((await readSafeProposalState(cleo, two)).status).toBe("earlier-first");
  expect(await refused(executeSafeProposal(cleo, { proposal: two }))).toBe(
    "CLI_SAFE_PROPOSAL_REFUSED earlier-first",
  );

  // Ben has no page: he approves the hash on L1.
  const approve = {
    address: safe.address,
    abi: SELF_ABI,
    functionName: "approveHash",
    args: [safeTxHashOf(one)],
  } as const;
  const approved = await ben.wallet!.writeContract({ ...approve, chain: ben.chain, account: BEN });
  await waitForTransactionReceipt(ben.l1, { hash: approved });
  const ready = await readSafeProposalState(cleo, one);
  expect([ready.status, ...ready.owners.map(({ state }) => state)]).toEqual([
    "ready",
    "signed",
    "approved",
    "waiting",
  ]);
  const { transactionHash } = await executeSafeProposal(stranger, { proposal: one });
  expect(await readSafeProposalState(cleo, one)).toMatchObject({
    status: "executed",
    executedBy: transactionHash,
  });

  const byLink = unpackProposal(packProposal(two));
  const { call } = await readSafeProposalState(cleo, byLink);
  expect(call).toMatchObject({ kind: "operation", entry: { a: LEAF, word1: next.keyX } });
  await executeSafeProposal(cleo, { proposal: byLink });
  await world.closeOpen();
  expect((await getLeaf(anna, LEAF)).keyX).toBe(next.keyX);
  // The delegate of before signs for nothing any more, the new one does.
  const payment = { from: LEAF, to: 1, amountWei: OPEN };
  await expect(transfer({ ...anna, l2Key: delegate }, payment)).rejects.toMatchObject({
    code: "OP_BAD_SIGNATURE",
  });
  await transfer({ ...anna, l2Key: next }, payment);
});

it("counts each owner once, and no signature of anybody or anything else", async () => {
  const proposal = await keyProposal();
  const hash = safeTxHashOf(proposal);
  const mine = await ANNA.sign({ hash });
  const add = (text: string) => addSafeSignatures(anna, { proposal, text });
  const reasonOf = (signature: Hex) => refused(add(signature));
  const elsewhere = { ...safeTypedData(proposal), domain: { chainId: 1, verifyingContract: safe.address } };
  expect({
    stranger: await reasonOf(await STRANGER.sign({ hash })),
    otherChain: await reasonOf(await ANNA.signTypedData(elsewhere)),
    otherNonce: await reasonOf(
      await ANNA.signTypedData(safeTypedData({ ...proposal, nonce: proposal.nonce + 1 })),
    ),
    contract: await reasonOf(concat([pad(ANNA.address), pad(numberToHex(65)), "0x00"])),
    preValidated: await reasonOf(concat([pad(ANNA.address), pad("0x"), "0x01"])),
    malformed: await reasonOf(concat([slice(mine, 0, 64), "0x25"])),
  }).toEqual({
    stranger: "CLI_SAFE_SIGNATURE_REFUSED not-an-owner",
    otherChain: "CLI_SAFE_SIGNATURE_REFUSED not-an-owner",
    otherNonce: "CLI_SAFE_SIGNATURE_REFUSED not-an-owner",
    contract: "CLI_SAFE_SIGNATURE_REFUSED contract-signature",
    preValidated: "CLI_SAFE_SIGNATURE_REFUSED pre-validated",
    malformed: "CLI_SAFE_SIGNATURE_REFUSED malformed",
  });
  // Under the name of another owner.
  const lying = { ...proposal, signatures: [{ owner: BEN.address, signature: mine }] };
  expect(await refused(add(writeProposal(lying)))).toBe("CLI_SAFE_SIGNATURE_REFUSED other-transaction");
  expect((await readSafeProposalState(anna, lying)).signedCount).toBe(0);
  // Each form that counts, twice: a v from 0 on, which the Safe would read as an approval, and eth_sign.
  const fromZero = concat([slice(mine, 0, 64), numberToHex(Number(slice(mine, 64)) - 27, { size: 1 })]);
  const bySign = await CLEO.signMessage({ message: { raw: hash } });
  const prefixed = concat([slice(bySign, 0, 64), numberToHex(Number(slice(bySign, 64)) + 4, { size: 1 })]);
  let both = proposal;
  for (const text of [fromZero, mine, prefixed, prefixed])
    both = await addSafeSignatures(anna, { proposal: both, text });
  expect(both.signatures.map(({ owner }) => owner)).toEqual([ANNA.address, CLEO.address]);
  expect(await refused(signSafeProposal(stranger, proposal))).toBe("CLI_SAFE_SIGNATURE_REFUSED not-an-owner");
  await executeSafeProposal(stranger, { proposal: both });

  // The nonce is used: another transaction of it is never signed or executed, nor taken for the one that was.
  expect((await readSafeProposalState(anna, proposal)).status).toBe("executed");
  const other = { ...both, data: (await keyProposal()).data };
  expect(await readSafeProposalState(anna, other)).toMatchObject({ status: "nonce-used", executedBy: null });
  expect(await refused(signSafeProposal(ben, other))).toBe("CLI_SAFE_PROPOSAL_REFUSED nonce-used");
  expect(await refused(executeSafeProposal(ben, { proposal: both }))).toBe(
    "CLI_SAFE_PROPOSAL_REFUSED nonce-used",
  );
  expect(await refused(keyProposal({ nonce: proposal.nonce }))).toBe("CLI_SAFE_PROPOSAL_REFUSED nonce-used");
});

it("reads owners and threshold again: who has left counts no more, and a raised threshold holds", async () => {
  const nonce = (await nextNonce()) + 1;
  const proposal = await signedBy(await keyProposal({ nonce }), anna, ben);
  await callItself("removeOwner", [ANNA.address, BEN.address, 1]);
  const without = await readSafeProposalState(anna, proposal);
  expect(without).toMatchObject({
    status: "ready",
    signedCount: 1,
    refused: [{ owner: BEN.address, fault: "not-an-owner" }],
  });
  const again = await signedBy(await keyProposal({ nonce: nonce + 1 }), anna);
  safe.signers = [ANNA, CLEO];
  await callItself("addOwnerWithThreshold", [BEN.address, 2]);
  expect(await refused(executeSafeProposal(anna, { proposal: again }))).toBe(
    "CLI_SAFE_PROPOSAL_REFUSED not-enough",
  );
  await executeSafeProposal(anna, { proposal: await signedBy(again, cleo) });
});

it("signs nothing but entries of leaves that the Safe owns, and its allowance for their fees", async () => {
  const proposal = await keyProposal();
  const { rollupAddress, tokenAddress } = anna;
  const tokenCall = (functionName: "approve" | "transfer", to: Address) =>
    encodeFunctionData({ abi: openTokenAbi, functionName, args: [to, OPEN] });
  const deposit = encodeFunctionData({
    abi: rollupUserAbi,
    functionName: "depositNew",
    args: [OPEN, STRANGER.address, 1n, ANY_FEE],
  });
  const changed = (more: Partial<SafeProposal>) => refused(signSafeProposal(anna, { ...proposal, ...more }));
  const foreign = "CLI_SAFE_PROPOSAL_REFUSED foreign-call";
  expect({
    chain: await changed({ chainId: 1 }),
    bytesBehind: await changed({ data: concat([proposal.data, "0x00"]) }),
    toStranger: await changed({ to: STRANGER.address }),
    toItself: await changed({ to: safe.address }),
    transfer: await changed({ to: tokenAddress, data: tokenCall("transfer", STRANGER.address) }),
    otherSpender: await changed({ to: tokenAddress, data: tokenCall("approve", STRANGER.address) }),
    allowanceOnRollup: await changed({ data: tokenCall("approve", rollupAddress) }),
    deposit: await changed({ data: deposit }),
  }).toEqual({
    chain: "CLI_SAFE_PROPOSAL_REFUSED other-chain",
    bytesBehind: foreign,
    toStranger: foreign,
    toItself: foreign,
    transfer: foreign,
    otherSpender: foreign,
    allowanceOnRollup: foreign,
    deposit: foreign,
  });
  // The format has no delegate call, refund or ether.
  const delegating = JSON.stringify({ ...proposal, operation: 1 });
  expect(await refused(addSafeSignatures(anna, { proposal, text: delegating }))).toBe(
    "CLI_SAFE_PROPOSAL_REFUSED form",
  );
  // Anybody can write a proposal: it is taken from others only once an owner has signed it.
  const taken = (text: string, address = safe.address) =>
    refused(takeSafeProposal(anna, { safe: address, sent: { text } }));
  const signed = await signSafeProposal(anna, proposal);
  expect([
    await taken(writeProposal(proposal)),
    await taken(writeProposal(signed), ANNA.address),
    await taken(writeProposal(signed)),
  ]).toEqual(["CLI_SAFE_PROPOSAL_REFUSED unsigned", "CLI_SAFE_PROPOSAL_REFUSED other-safe", "no error"]);
  const operation = { type: "setKey", id: 1, keyX: 5n } as const;
  expect(await refused(proposeBySafe(anna, { safe: safe.address, operation }))).toBe(
    "CLI_INPUT_INVALID not-owner",
  );
  expect(await refused(readSafe(anna.l1, STRANGER.address))).toBe("CLI_SAFE_UNKNOWN no-contract");
  expect(await refused(readSafe(anna.l1, tokenAddress))).toBe("CLI_SAFE_UNKNOWN other-contract");
});

it("names what acts beside the owners, and passes on that a guard refuses", async () => {
  await callItself("enableModule", [STRANGER.address]);
  const proposal = await signedBy(await keyProposal(), anna, ben);
  const slot = keccak256(stringToHex("guard_manager.guard.address"));
  await world.f.l1.client.setStorageAt({
    address: safe.address,
    index: slot,
    value: pad(anna.tokenAddress, { size: 32 }),
  });
  const { status, safe: now } = await readSafeProposalState(anna, proposal);
  expect([status, now.modules, now.guards]).toEqual(["ready", [STRANGER.address], [anna.tokenAddress]]);
  expect(await refused(executeSafeProposal(anna, { proposal }))).toMatch(/^CLI_L1_REVERTED/);
  expect(await nextNonce()).toBe(proposal.nonce);

  const wordsOf = async (address: Address) => delegateWords(await readLeafOwner(anna.l1, address));
  expect(await Promise.all([safe.address, anna.tokenAddress, ANNA.address].map(wordsOf))).toEqual([
    "signed by the delegate of a Safe of 2 of 3",
    "signed by the delegate of a contract",
    null,
  ]);
});
