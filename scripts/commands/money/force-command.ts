/**
 * `openledger force`: puts an operation of the protocol's table into L1's queue, with its fields. It needs nobody but an Ethereum node:
 * what it does not know, and whether the entry has an effect, it reads from a ledger rebuilt from L1.
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import { hashStatics, type ModelStatics } from "@openledger/circuits/ledger/leaf";
import { PAYEE_ROLE } from "@openledger/circuits/ledger/rewards";
import type { ForceableOperation, ForcedClaim } from "@openledger/client/actions/forced/forced-operation";
import type { QueueResult } from "@openledger/client/actions/forced/queue-result";
import { clientError } from "@openledger/client/client-errors";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { forceOperations } from "@openledger/client/tasks/force-operations";
import { hex32 } from "@openledger/foundation/hex";
import { checkForced } from "@openledger/verifier/without-operator/forced-check";
import { type Address, getAddress, numberToHex } from "viem";
import { noteKeyIndex } from "../../cli/account-file.ts";
import { commandError } from "../../cli/cli-errors.ts";
import {
  accountKey,
  accountOf,
  accountsPath,
  type GlobalOptions,
  openSigner,
  parseAddress,
  resolveLeaf,
  type Signer,
} from "../../cli/context.ts";
import { describeGas } from "../../cli/describe-gas.ts";
import { type LedgerOnL1, ledgerOnL1, onlyAccountOf } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command, WAIT_OPTION, waitWithProgress } from "../../cli/run-command.ts";
import { claimsOfLeaf, claimsOfOwner } from "./claimable-rewards.ts";
import { MAX_FEE_OPTION, maxFeeOf } from "./max-fee.ts";

type Kind = ForceableOperation["type"];

/** Sources of what is not typed. */
interface Sources {
  readonly signer: Signer;
  readonly options: GlobalOptions;
  readonly ledger: LedgerOnL1;
}

const refuse = (message: string) => commandError("CMD_USAGE", message);

function parseNumber(text: string): bigint {
  if (/^0x[0-9a-fA-F]{1,64}$/.test(text)) return BigInt(text);
  throw refuse(`"${text}" is no number of 0x and up to 64 hexadecimal digits`);
}

function parseRole(text: string): keyof typeof PAYEE_ROLE {
  const role = (Object.keys(PAYEE_ROLE) as (keyof typeof PAYEE_ROLE)[]).find((known) => known === text);
  if (role !== undefined) return role;
  throw refuse(`"${text}" is no role; there are ${Object.keys(PAYEE_ROLE).join(" and ")}`);
}

async function readLeaf(text: string, { options, signer: { client } }: Sources): Promise<number> {
  return client.sequencerUrl === null ? parseId(text) : (await resolveLeaf(client, options, text)).id;
}

/** Fields by their names in `force` of the library. `amount` is in OPEN. */
const FIELDS = {
  id: readLeaf,
  to: readLeaf,
  amount: (text: string): bigint | "all" => (text === "all" ? text : parseOpen(text)),
  recipient: parseAddress,
  newOwner: parseAddress,
  datanetId: parseId,
  modelId: parseId,
  payeeIndex: parseId,
  rowCount: parseId,
  role: parseRole,
  keyX: parseNumber,
  receipt: parseNumber,
  staticsHash: parseNumber,
  rowsRoot: parseNumber,
  ownersCommitment: parseNumber,
  payeeRoot: parseNumber,
  policy: parseNumber,
};
type FieldName = keyof typeof FIELDS;
type Fields = { readonly [Name in FieldName]: Awaited<ReturnType<(typeof FIELDS)[Name]>> };

/** Fields of each operation. Those of `may` are found where they are absent. */
export const FORCED_FIELDS: Readonly<
  Record<Kind, { readonly must: readonly FieldName[]; readonly may: readonly FieldName[] }>
> = {
  withdraw: { must: ["amount"], may: ["id", "recipient"] },
  transfer: { must: ["to", "amount"], may: ["id"] },
  claimRewards: { must: [], may: ["modelId", "payeeIndex", "role", "id"] },
  payInference: { must: ["modelId", "amount", "receipt"], may: ["id"] },
  closeEpoch: { must: ["modelId"], may: [] },
  setKey: { must: [], may: ["keyX", "id"] },
  setOwner: { must: ["newOwner"], may: ["id"] },
  approveModel: { must: ["datanetId", "modelId", "staticsHash"], may: [] },
  revokeModel: { must: ["datanetId", "modelId"], may: [] },
  commitData: { must: ["datanetId", "rowsRoot", "rowCount"], may: ["id"] },
  publishVersion: {
    must: ["datanetId", "rowsRoot", "ownersCommitment", "payeeRoot", "rowCount"],
    may: ["policy"],
  },
};

const fieldsOf = (type: Kind): string => {
  const { may, must } = FORCED_FIELDS[type];
  return [...must.map((name) => `${name}=…`), ...may.map((name) => `[${name}=…]`)].join(" ");
};

export const addForceCommand = command({
  usage: "force <operation> [fields...]",
  about:
    "put an operation into L1's queue, which no sequencer can leave out; each burns a fee of OPEN on L1. Fields are name=value. An account, and what else the ledger has, is found",
  options: {
    "--unchecked": "skip the check on L1 that it has an effect; an operation without one still burns the fee",
    ...MAX_FEE_OPTION,
    ...WAIT_OPTION,
  },
  examples: [
    "force withdraw amount=all --account alice",
    "force withdraw amount=all --rpc https://… --rollup 0x… --private-key-file key",
    "force transfer to=bob amount=1.5 --account alice",
    "force claimRewards --account bob",
    "force closeEpoch modelId=15 --account bob",
    "force setKey --account alice",
    "force setOwner newOwner=0x… id=12 --account alice",
    "force payInference modelId=15 amount=0.02 receipt=0x… --account nina",
    "force approveModel datanetId=10 modelId=15 staticsHash=0x… --account alice",
    "force revokeModel datanetId=10 modelId=15 --account alice",
    "force commitData datanetId=6 rowsRoot=0x… rowCount=3 --account bob",
  ],
  run: async ({ options, args, output }) => {
    const [name, ...texts] = args as [string, ...string[]];
    const type = (Object.keys(FORCED_FIELDS) as Kind[]).find((known) => known === name);
    if (type === undefined)
      throw refuse(`"${name}" is no forced operation; there are ${Object.keys(FORCED_FIELDS).join(", ")}`);
    const typed = typedFields(type, texts);
    const signer = await openSigner(options);
    const ledger = ledgerOnL1(options, output);
    const sources = { signer, options, ledger };
    const fields = await readFields(typed, sources);
    const { keyIndex, operations } = await operationsOf(type, fields, sources);
    // Noted first: a key in use that the file does not know would be a lost one.
    if (keyIndex !== null && options.privateKeyFile === undefined)
      await noteKeyIndex(accountsPath(options), signer.account.name, keyIndex);
    const { entries, isChecked } = await forceOperations(signer.client, {
      operations,
      check: (requests, owner) =>
        checkForced(requests, owner, { ledger, isUnchecked: options.unchecked === true }),
      onProgress: ({ step }) =>
        output.progress(step === "checking" ? "checking the effect on L1" : `sending ${type} to L1's queue`),
      ...maxFeeOf(options),
    });
    const outcomes = [];
    for (const [i, entry] of entries.entries())
      outcomes.push(await follow(signer, operations[i]!, entry, options.wait, output));
    const withoutSequencer = signer.client.sequencerUrl === null && entries.length > 0;
    output.answer(
      [
        ...outcomes.flatMap(({ lines }) => lines),
        ...(outcomes.length === 0 ? ["there is nothing to claim"] : []),
        ...(isChecked ? [] : ["sent unchecked: a batch that includes it shows whether it has an effect"]),
        ...(withoutSequencer
          ? [
              "after 24 hours anyone can post the queue (openledger submit-queue), after 7 days anyone can freeze the rollup (openledger freeze)",
            ]
          : []),
      ],
      { operation: type, isChecked, keyIndex, entries: outcomes.map(({ facts }) => facts) },
    );
  },
});

/** @throws CMD_USAGE naming the operation's fields */
function typedFields(type: Kind, texts: readonly string[]): Map<FieldName, string> {
  const { may, must } = FORCED_FIELDS[type];
  const wrong = (what: string) => refuse(`${what}: openledger force ${type} ${fieldsOf(type)}`);
  const typed = new Map<FieldName, string>();
  for (const text of texts) {
    const at = text.indexOf("=");
    const field = [...must, ...may].find((known) => known === text.slice(0, Math.max(at, 0)));
    if (field === undefined) throw wrong(`"${text}" is no field of it`);
    if (typed.has(field)) throw wrong(`${field} is given twice`);
    typed.set(field, text.slice(at + 1));
  }
  const missing = must.filter((field) => !typed.has(field));
  if (missing.length > 0) throw wrong(`${missing.join(", ")} is missing`);
  return typed;
}

async function readFields(typed: ReadonlyMap<FieldName, string>, sources: Sources): Promise<Partial<Fields>> {
  const entries = [...typed].map(async ([name, text]) => [name, await FIELDS[name](text, sources)] as const);
  return Object.fromEntries(await Promise.all(entries)) as Partial<Fields>;
}

/** `keyIndex`: of the account's next key, where the operation sets that. @throws CLI_LEAF_NOT_FOUND, CLI_INPUT_INVALID, BRG_* */
async function operationsOf(
  type: Kind,
  fields: Partial<Fields>,
  sources: Sources,
): Promise<{ operations: readonly ForceableOperation[]; keyIndex: number | null }> {
  const { ledger, signer } = sources;
  const { account, client } = signer;
  const owner = account.l1.address;
  const own = async (): Promise<number> => {
    if (fields.id !== undefined) return fields.id;
    return client.sequencerUrl === null
      ? onlyAccountOf(await ledger(), owner)
      : (await accountOf(client, owner)).id;
  };
  // The command line has required the others by FORCED_FIELDS.
  const { amount, datanetId, modelId, ...input } = fields as Fields;
  const one = (operation: ForceableOperation) => ({ operations: [operation], keyIndex: null });
  switch (type) {
    case "withdraw":
      return one({ type, id: await own(), amountWei: amount, recipient: fields.recipient ?? owner });
    case "transfer": {
      const { l1Owner: expectedOwner } = await factsOf(input.to, sources);
      return one({ type, id: await own(), to: input.to, amountWei: amount, expectedOwner });
    }
    case "claimRewards":
      return { operations: await claimsOf(fields, sources), keyIndex: null };
    case "payInference": {
      if (amount === "all") throw refuse("a payment has an amount");
      const { l1Owner: expectedOwner } = await factsOf(modelId, sources);
      return one({
        type,
        id: await own(),
        modelId,
        amountWei: amount,
        receipt: input.receipt,
        expectedOwner,
      });
    }
    case "closeEpoch":
      return one({ type, modelId });
    case "setKey": {
      if (fields.keyX !== undefined) return one({ type, id: await own(), keyX: fields.keyX });
      if (account.l2Secret !== null)
        throw refuse("a random key has no next key: name one with keyX=0x…, or transfer to another account");
      const keyIndex = account.keyIndex + 1;
      const { keyX } = await accountKey(client, account, keyIndex);
      return { operations: [{ type, id: await own(), keyX }], keyIndex };
    }
    case "setOwner":
      return one({ type, id: await own(), newOwner: input.newOwner });
    case "approveModel": {
      const { l1Owner: expectedOwner, statics } = await factsOf(modelId, sources);
      const registered = statics === null ? null : hashStatics(statics);
      if (statics === null || registered !== input.staticsHash)
        throw attributionError(
          "ATT_MODEL_MISMATCH",
          `statics: ${hex32(input.staticsHash)} was checked, ${registered === null ? "no model" : hex32(registered)} is registered as leaf ${modelId}`,
          {
            data: {
              what: "statics",
              published: hex32(input.staticsHash),
              computed: registered && hex32(registered),
            },
          },
        );
      return one({ type, datanetId, modelId, statics, expectedOwner });
    }
    case "revokeModel":
      return one({ type, datanetId, modelId });
    case "commitData": {
      const { rowCount, rowsRoot } = input;
      return one({ type, id: await own(), datanetId, rowCount, rowsRoot });
    }
    case "publishVersion": {
      const { ownersCommitment, payeeRoot, rowCount, rowsRoot } = input;
      const policy = fields.policy ?? (await factsOf(datanetId, sources)).policy;
      return one({ type, datanetId, version: { ownersCommitment, payeeRoot, rowCount, rowsRoot }, policy });
    }
    default:
      return type satisfies never;
  }
}

/** One claim by its fields, else each one with something to claim. */
async function claimsOf(fields: Partial<Fields>, { ledger, signer }: Sources): Promise<ForcedClaim[]> {
  const { account, client } = signer;
  const { id, modelId, payeeIndex, role } = fields;
  if (id !== undefined && modelId !== undefined && payeeIndex !== undefined && role !== undefined)
    return [{ type: "claimRewards", id, modelId, payeeIndex, role }];
  const owner = account.l1.address;
  const all =
    client.sequencerUrl === null
      ? claimsOfOwner((await ledger()).ledger, BigInt(owner))
      : await claimsOfLeaf(client, id ?? (await accountOf(client, owner)).id);
  const isExpected = <Value>(expected: Value | undefined, value: Value) =>
    expected === undefined || expected === value;
  return all.filter(
    (one) =>
      isExpected(id, one.id) &&
      isExpected(modelId, one.modelId) &&
      isExpected(payeeIndex, one.payeeIndex) &&
      isExpected(role, one.role),
  );
}

/** Facts of a leaf by the sequencer, else by the ledger rebuilt from L1. @throws CLI_LEAF_NOT_FOUND, BRG_* */
async function factsOf(
  id: number,
  { ledger, signer: { client } }: Sources,
): Promise<{ l1Owner: Address; statics: ModelStatics | null; policy: bigint }> {
  if (client.sequencerUrl !== null) {
    const { datanet, kind, l1Owner } = await getLeaf(client, id);
    const statics = kind === "model" ? staticsOf(await getModel(client, id)) : null;
    return { l1Owner, statics, policy: datanet?.policy ?? 0n };
  }
  const record = (await ledger()).ledger.leaf(id);
  if (record === undefined)
    throw clientError("CLI_LEAF_NOT_FOUND", `there is no leaf ${id} on L1`, { data: { id } });
  const l1Owner = getAddress(numberToHex(record.leaf.l1Owner, { size: 20 }));
  return { l1Owner, statics: record.model?.statics ?? null, policy: record.datanet?.policy ?? 0n };
}

/** Waits for a queue entry as far as there is somebody to ask. @throws CLI_QUEUE_ENTRY_INVALID if the entry had no effect, CLI_WAIT_* */
async function follow(
  { client }: Signer,
  operation: ForceableOperation,
  entry: QueueResult,
  wait: string,
  output: Output,
): Promise<{ lines: readonly string[]; facts: object }> {
  const { burnedFeeWei, gasCostWei, gasUsed, queueIndex, transactionHash } = entry;
  const target = operation.type === "withdraw" ? { withdrawal: { queueIndex } } : { queueIndex };
  const { batchNumber, stage } =
    client.sequencerUrl === null
      ? { batchNumber: null, stage: "queued" }
      : await waitWithProgress(client, target, wait, output);
  const { type, ...fields } = operation;
  const shown = Object.entries(fields).filter(([, value]) => typeof value !== "object");
  const cost = { gasUsed, gasCostWei, burnedFeeWei };
  return {
    lines: [
      `${type} ${shown.map(([name, value]) => `${name}=${textOf(name, value)}`).join(" ")}: ${stage}, queue entry ${queueIndex}`,
      `L1 transaction ${transactionHash}, ${describeGas(entry)}, ${formatOpen(burnedFeeWei)} OPEN burned`,
    ],
    facts: {
      ...Object.fromEntries(shown.map(([name, value]) => [name, jsonOf(name, value)])),
      queueIndex,
      transactionHash,
      ...cost,
      stage,
      batchNumber,
    },
  };
}

/** Amounts are whole wei, other large numbers field elements. */
const jsonOf = (name: string, value: unknown): unknown =>
  typeof value === "bigint" && name !== "amountWei" ? hex32(value) : value;

const textOf = (name: string, value: unknown): string =>
  name === "amountWei" && typeof value === "bigint"
    ? `${formatOpen(value)} OPEN`
    : String(jsonOf(name, value));
