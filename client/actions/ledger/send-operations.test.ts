import {
  decodeBatch,
  encodeBatchAnswers,
  MAX_BATCH_OPERATIONS,
} from "@openledger/circuits/wire/operation-batch";
import { decodeOperation } from "@openledger/circuits/wire/operation-body";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createLedgerFixture, type LedgerFixture } from "../../testing/ledger-fixture.ts";
import { transfer } from "./account-operations.ts";
import type { SignedSubmission } from "./send-operation.ts";
import { sendOperations } from "./send-operations.ts";

let fixture: LedgerFixture;
beforeEach(async () => {
  fixture = await createLedgerFixture();
});
afterEach(() => fixture.close());

async function signSome(count: number): Promise<SignedSubmission[]> {
  const signedOnes: SignedSubmission[] = [];
  for (let nonce = 0; nonce < count; nonce++)
    await transfer(fixture.client, {
      to: 7,
      amountWei: 10n,
      nonce,
      onSigned: (signed) => {
        signedOnes.push(signed);
        throw new Error("not to be sent");
      },
    }).catch(() => {});
  return signedOnes;
}

it("sends what was signed in one body, and has each one's promise or error in its place", async () => {
  const signed = await signSome(4);
  const promised = (i: number, operationHash = signed[i]!.hash) =>
    fixture.signPreconfirmation({ operationHash, opIndex: i, deadlineSeconds: 99 });
  const [good, forged] = [await promised(0), { ...(await promised(3)), operationHash: signed[2]!.hash }];
  const error = { code: "OP_WRONG_NONCE", message: "no", data: { expectedNonce: "5" }, isRetryable: false };
  const [first, second, third, fourth] = signed.map(({ hash }) => hash);
  const answers = [
    { hash: first!, status: "acknowledged" as const, preconfirmation: good },
    { error },
    { hash: third!, status: "acknowledged" as const, preconfirmation: forged },
    { hash: fourth!, status: "pending" as const, preconfirmation: null },
  ];
  fixture.sequencer.answers.set("POST /v1/operations/batch", (body: Uint8Array) => {
    expect(decodeBatch(body)).toEqual(signed.map((one) => decodeOperation(one.body)));
    return encodeBatchAnswers(answers);
  });
  const results = await sendOperations(fixture.client, signed);
  expect(results).toMatchObject([
    { hash: first, status: "acknowledged", preconfirmation: good, from: 4, nonce: 0 },
    { code: "OP_WRONG_NONCE", data: { expectedNonce: "5" } },
    { code: "CLI_PRECONFIRMATION_INVALID" },
    { hash: fourth, status: "pending", preconfirmation: null, nonce: 3 },
  ]);
  expect(second).toBe(signed[1]!.hash);
  expect(fixture.sequencer.heard.filter(({ route }) => route.startsWith("POST"))).toHaveLength(1);
});

it("sends no more than a body may hold, and takes no answer of another form", async () => {
  const [one] = await signSome(1);
  const many = Array.from({ length: MAX_BATCH_OPERATIONS + 1 }, () => one!);
  await expect(sendOperations(fixture.client, many)).rejects.toMatchObject({ code: "CLI_INPUT_INVALID" });
  for (const bytes of [Uint8Array.of(2), Uint8Array.of(2, 9), Uint8Array.of(1), new Uint8Array()]) {
    fixture.sequencer.answers.set("POST /v1/operations/batch", bytes);
    await expect(sendOperations(fixture.client, [one!])).rejects.toMatchObject({
      code: "CLI_ANSWER_INVALID",
    });
  }
});
