/**
 * Fields of each operation that a Safe can have executed, and what a person typed in them as an operation. The form of the page
 * "#/safe" draws them. Amounts are typed in OPEN and are wei in the operation.
 */

import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { parseOpen } from "@openledger/client/sequencer/open-amount";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import type { SafeOperation } from "@openledger/client/tasks/own-by-safe";
import { hex32 } from "@openledger/foundation/hex";
import { type Address, getAddress, isAddress } from "viem";
import { readCode } from "../wallet/move-target.ts";

export type OperationType = SafeOperation["type"];
type FieldForm = "leaf" | "count" | "address" | "amount" | "key" | "element" | "role";

export interface OperationField {
  readonly name: string;
  readonly label: string;
  readonly form: FieldForm;
  readonly help?: string;
  readonly isOptional?: boolean;
}

interface OperationRow {
  readonly label: string;
  /** Kinds of the leaf that acts; none: anybody may. */
  readonly kinds: readonly LedgerLeaf["kind"][];
  readonly fields: readonly OperationField[];
}

const ALL = ["account", "datanet", "model"] as const;
const model: OperationField = { name: "modelId", label: "Model", form: "leaf" };
const element = (name: string, label: string, help?: string): OperationField => ({
  name,
  label,
  form: "element",
  ...(help === undefined ? {} : { help }),
});
const rowCount: OperationField = { name: "rowCount", label: "Rows", form: "count" };

export const OPERATIONS: Readonly<Record<OperationType, OperationRow>> = {
  setKey: {
    label: "Replace the delegate's key",
    kinds: ALL,
    fields: [
      {
        name: "keyX",
        label: "The new delegate's ledger key",
        form: "key",
        help: "Their code from the page A new wallet, or the key in hex. 0: no key signs for it any more.",
      },
    ],
  },
  withdraw: {
    label: "Withdraw",
    kinds: ALL,
    fields: [
      { name: "amountWei", label: "OPEN", form: "amount", help: 'or "all"' },
      {
        name: "recipient",
        label: "To the address",
        form: "address",
        help: "Empty: to the Safe.",
        isOptional: true,
      },
    ],
  },
  transfer: {
    label: "Transfer",
    kinds: ALL,
    fields: [
      { name: "to", label: "To the account", form: "leaf" },
      { name: "amountWei", label: "OPEN", form: "amount", help: 'or "all"' },
    ],
  },
  payInference: {
    label: "Pay a model for an answer",
    kinds: ["account"],
    fields: [
      model,
      { name: "amountWei", label: "OPEN", form: "amount" },
      element("receipt", "Receipt", "As it came with the answer."),
    ],
  },
  claimRewards: {
    label: "Claim rewards",
    kinds: ALL,
    fields: [
      model,
      { name: "payeeIndex", label: "Row in the model's payee table", form: "count" },
      { name: "role", label: "As", form: "role" },
    ],
  },
  closeEpoch: { label: "Close an epoch", kinds: [], fields: [model] },
  commitData: {
    label: "Commit rows",
    kinds: ["account"],
    fields: [
      { name: "datanetId", label: "Datanet", form: "leaf" },
      element("rowsRoot", "Root of the rows"),
      rowCount,
    ],
  },
  publishVersion: {
    label: "Publish a version",
    kinds: ["datanet"],
    fields: [
      element("rowsRoot", "Root of the rows"),
      rowCount,
      element("ownersCommitment", "Commitment to the rows' owners"),
      element("payeeRoot", "Root of the payees"),
      element(
        "policy",
        "Hash of the card",
        "The present version and another card: the Safe's own word for that card.",
      ),
    ],
  },
  approveModel: { label: "Approve a model", kinds: ["datanet"], fields: [model] },
  revokeModel: { label: "Revoke a model", kinds: ["datanet"], fields: [model] },
  setOwner: {
    label: "Give the leaf to another owner",
    kinds: ALL,
    fields: [{ name: "newOwner", label: "Address of the new owner", form: "address" }],
  },
};

/** Values of the present version of a Datanet, from which a new one is written. */
export function presentVersion({ datanet }: LedgerLeaf): Readonly<Record<string, string>> {
  if (datanet == null) return {};
  const { ownersCommitment, payeeRoot, policy, rowCount, rowsRoot } = datanet;
  const roots = { ownersCommitment, payeeRoot, policy, rowsRoot };
  return {
    rowCount: String(rowCount),
    ...Object.fromEntries(Object.entries(roots).map(([name, value]) => [name, hex32(value)])),
  };
}

const LEAF_LIMIT = 2 ** 24;
const COUNT_LIMIT = 2 ** 40;

type Value = number | bigint | string;

/** Reads one field. @returns a problem, as a sentence, where the text is no such value */
function readField(form: FieldForm, text: string): { value: Value } | { problem: string } {
  switch (form) {
    case "leaf":
    case "count": {
      const limit = form === "leaf" ? LEAF_LIMIT : COUNT_LIMIT;
      return /^\d{1,13}$/.test(text) && Number(text) < limit
        ? { value: Number(text) }
        : { problem: "Enter a whole number." };
    }
    case "address":
      return isAddress(text)
        ? { value: getAddress(text) }
        : { problem: "Enter 0x and 40 hexadecimal digits." };
    case "amount":
      if (text === "all") return { value: "all" };
      try {
        const wei = parseOpen(text);
        return wei > 0n ? { value: wei } : { problem: "Enter more than 0." };
      } catch {
        return { problem: "Enter an amount such as 12.5, with at most 18 decimals." };
      }
    case "role":
      return text === "contributor" || text === "validator"
        ? { value: text }
        : { problem: "Enter contributor or validator." };
    case "key":
    case "element": {
      const keyX = form === "key" ? readCode(text)?.keyX : undefined;
      if (keyX !== undefined) return { value: keyX };
      const value = /^(0x[0-9a-fA-F]{1,64}|\d{1,78})$/.test(text) ? BigInt(text) : null;
      return value !== null && value < FIELD_ORDER
        ? { value }
        : { problem: "Enter a number in hex, such as 0x2a, below the ledger's field order." };
    }
    default:
      return form satisfies never;
  }
}

type Grounds = Extract<SafeOperation, { type: "approveModel" }>["grounds"];

export type ReadOperation =
  | { readonly operation: SafeOperation }
  /** By the field's name. */
  | { readonly problems: Readonly<Record<string, string>> };

/**
 * Reads a filled form.
 * @param id leaf that acts
 * @param grounds those of an approval
 */
export function readOperation(
  type: OperationType,
  id: number | null,
  texts: Readonly<Record<string, string>>,
  grounds: Grounds,
): ReadOperation {
  const { fields, kinds } = OPERATIONS[type];
  const problems: Record<string, string> = {};
  const values: Record<string, Value> = {};
  if (id === null && kinds.length > 0) problems["id"] = "Choose what acts.";
  for (const { form, isOptional, name } of fields) {
    const text = (texts[name] ?? "").trim();
    if (text === "" && isOptional === true) continue;
    const read = readField(form, text);
    if ("problem" in read) problems[name] = text === "" ? "Enter a value." : read.problem;
    else values[name] = read.value;
  }
  if (type === "payInference" && values["amountWei"] === "all") problems["amountWei"] = "Enter an amount.";
  if (Object.keys(problems).length > 0) return { problems };
  return { operation: assembled(type, id ?? 0, values, grounds) };
}

/** Fields have been read by the forms of the table, which this has to fit. */
function assembled(
  type: OperationType,
  id: number,
  values: Readonly<Record<string, Value>>,
  grounds: Grounds,
): SafeOperation {
  const number = (name: string) => values[name] as number;
  const big = (name: string) => values[name] as bigint;
  const amountWei = values["amountWei"] as bigint | "all";
  switch (type) {
    case "setKey":
      return { type, id, keyX: big("keyX") };
    case "setOwner":
      return { type, id, newOwner: values["newOwner"] as Address };
    case "withdraw": {
      const recipient = values["recipient"] as Address | undefined;
      return { type, id, amountWei, ...(recipient === undefined ? {} : { recipient }) };
    }
    case "transfer":
      return { type, id, to: number("to"), amountWei };
    case "payInference":
      return { type, id, modelId: number("modelId"), amountWei: big("amountWei"), receipt: big("receipt") };
    case "claimRewards": {
      const role = values["role"] as "contributor" | "validator";
      return { type, id, modelId: number("modelId"), payeeIndex: number("payeeIndex"), role };
    }
    case "closeEpoch":
      return { type, modelId: number("modelId") };
    case "commitData":
      return {
        type,
        id,
        datanetId: number("datanetId"),
        rowsRoot: big("rowsRoot"),
        rowCount: number("rowCount"),
      };
    case "publishVersion": {
      const version = {
        rowsRoot: big("rowsRoot"),
        ownersCommitment: big("ownersCommitment"),
        payeeRoot: big("payeeRoot"),
        rowCount: number("rowCount"),
      };
      return { type, datanetId: id, version, policy: big("policy") };
    }
    case "approveModel":
      return { type, datanetId: id, modelId: number("modelId"), grounds };
    case "revokeModel":
      return { type, datanetId: id, modelId: number("modelId") };
    default:
      return type satisfies never;
  }
}
