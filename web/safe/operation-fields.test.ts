/** Tests of the form of a Safe's operations: each operation from what a person types, and what is no such value. */
import { expect, it } from "vitest";
import { OPERATIONS, type OperationType, readOperation } from "./operation-fields.ts";

const ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const grounds = { askHost: async () => null, readPublished: async () => null };
const read = (type: OperationType, texts: Record<string, string>, id: number | null = 7) =>
  readOperation(type, id, texts, grounds);

const root = { rowsRoot: "0x1", rowCount: "3" };
const model = { modelId: "11" };
const TYPED: Readonly<Record<OperationType, readonly [Record<string, string>, object]>> = {
  setKey: [{ keyX: `${ADDRESS}-0x${"0".repeat(62)}2a` }, { id: 7, keyX: 42n }],
  setOwner: [{ newOwner: ADDRESS }, { id: 7, newOwner: ADDRESS }],
  withdraw: [{ amountWei: "all" }, { id: 7, amountWei: "all" }],
  transfer: [
    { to: "9", amountWei: "1.5" },
    { id: 7, to: 9, amountWei: 15n * 10n ** 17n },
  ],
  payInference: [
    { ...model, amountWei: "1", receipt: "0xff" },
    { id: 7, modelId: 11, amountWei: 10n ** 18n, receipt: 255n },
  ],
  claimRewards: [
    { ...model, payeeIndex: "0", role: "validator" },
    { id: 7, modelId: 11, payeeIndex: 0, role: "validator" },
  ],
  closeEpoch: [model, { modelId: 11 }],
  commitData: [
    { datanetId: "10", ...root },
    { id: 7, datanetId: 10, rowsRoot: 1n, rowCount: 3 },
  ],
  publishVersion: [
    { ...root, ownersCommitment: "0x2", payeeRoot: "0x3", policy: "0" },
    {
      datanetId: 7,
      version: { rowsRoot: 1n, ownersCommitment: 2n, payeeRoot: 3n, rowCount: 3 },
      policy: 0n,
    },
  ],
  approveModel: [model, { datanetId: 7, modelId: 11, grounds }],
  revokeModel: [model, { datanetId: 7, modelId: 11 }],
};

it.each(Object.keys(OPERATIONS) as OperationType[])("reads %s", (type) => {
  const [texts, operation] = TYPED[type];
  expect(read(type, texts)).toEqual({ operation: { type, ...operation } });
  const names = OPERATIONS[type].fields.filter(({ isOptional }) => isOptional !== true);
  const empty = read(type, {}, null) as { problems: object };
  const expected = names.map(({ name }) => name);
  if (OPERATIONS[type].kinds.length > 0) expected.push("id");
  expect(Object.keys(empty.problems).sort()).toEqual(expected.sort());
});

it("takes no value of another form", () => {
  expect(read("setKey", { keyX: `0x${"f".repeat(64)}` })).toMatchObject({
    problems: { keyX: expect.any(String) },
  });
  expect(read("withdraw", { amountWei: "-1", recipient: "0x12" })).toMatchObject({
    problems: { amountWei: expect.any(String), recipient: expect.any(String) },
  });
  expect(read("transfer", { to: "99999999999", amountWei: "0" })).toMatchObject({
    problems: { to: expect.any(String), amountWei: expect.any(String) },
  });
  expect(read("payInference", { ...model, amountWei: "all", receipt: "x" })).toMatchObject({
    problems: { amountWei: expect.any(String), receipt: expect.any(String) },
  });
});
