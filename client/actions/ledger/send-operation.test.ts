import { verifySignature } from "@openledger/circuits/field/curve/eddsa";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { leafReference, messageHash, operationMessage } from "@openledger/circuits/ledger/operation";
import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import type { OperationBody } from "@openledger/circuits/wire/operation-body";
import { twinsOf } from "@openledger/contracts/testing/signature-twins";
import { hex32 } from "@openledger/foundation/hex";
import { parseEther } from "viem";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeFailure } from "../../testing/fake-sequencer.ts";
import { createLedgerFixture, type LedgerFixture, owners } from "../../testing/ledger-fixture.ts";
import { transfer } from "./account-operations.ts";
import type { SignedSubmission } from "./send-operation.ts";

let fixture: LedgerFixture;
beforeEach(async () => {
  fixture = await createLedgerFixture();
});
afterEach(() => fixture.close());

const submitRoute = "POST /v1/operations";
const payment = { to: 7, amountWei: parseEther("1.5") };

/** The sequencer acknowledges every operation, with a preconfirmation that a test may spoil. */
async function sendWithPreconfirmation(
  change: {
    operationHash?: `0x${string}`;
    signature?: `0x${string}`;
    deadlineSeconds?: number;
    forge?: (signature: `0x${string}`) => `0x${string}`;
  } = {},
) {
  let signed: SignedSubmission | null = null;
  const send = transfer(fixture.client, {
    ...payment,
    onSigned: async (made) => {
      signed = made;
      const { forge, signature, ...fields } = change;
      const preconfirmation = await fixture.signPreconfirmation({
        operationHash: made.hash,
        opIndex: 3,
        deadlineSeconds: 99,
        ...fields,
      });
      fixture.sequencer.answers.set(submitRoute, {
        hash: made.hash,
        status: "acknowledged",
        preconfirmation: {
          ...preconfirmation,
          signature: signature ?? forge?.(preconfirmation.signature) ?? preconfirmation.signature,
        },
      });
    },
  });
  return { result: await send, signed: signed! as SignedSubmission };
}

describe("transfer", () => {
  it("signs the message that docs/reference/ledger.md defines, with the owner and kind of the recipient", async () => {
    const { result, signed } = await sendWithPreconfirmation();
    const operation = {
      kind: KIND.transfer,
      a: 4,
      b: 7,
      amountCode: encodeAmount(payment.amountWei),
      words: [],
      nonce: 12n,
      maxFeePerUnitWei: 2000n,
    };
    const context = {
      domain: fixture.client.domain,
      bRef: leafReference({ l1Owner: BigInt(owners.recipient), kind: LEAF_KIND.account }),
    };
    const message = operationMessage(operation, context);
    expect(result.hash).toBe(hex32(messageHash(operation, context)));
    const { r8x, r8y, s } = signed.body.signature;
    const signature = { r8x: BigInt(r8x), r8y: BigInt(r8y), s: BigInt(s) };
    expect(verifySignature({ keyX: fixture.key.keyX, message, signature })).toBe(true);
  });

  it("sends what it has signed and returns the checked preconfirmation", async () => {
    const { result, signed } = await sendWithPreconfirmation();
    const sent = fixture.sequencer.heard.find(({ route }) => route === submitRoute)!.body as OperationBody;
    expect(sent).toEqual(signed.body);
    expect(sent).toMatchObject({
      kind: "transfer",
      a: 4,
      b: 7,
      nonce: 12,
      maxFeePerUnitWei: "2000",
      words: [],
    });
    expect(result).toMatchObject({
      status: "acknowledged",
      from: 4,
      nonce: 12,
      preconfirmation: { opIndex: 3 },
    });
  });

  it("refuses a preconfirmation for another operation, by another signer, without a signature or a deadline", async () => {
    const stranger = `0x${"11".repeat(64)}1b` as const;
    for (const change of [
      { operationHash: hex32(1n) },
      { signature: stranger },
      { signature: "0x" as const },
      { deadlineSeconds: 0 },
    ]) {
      await expect(sendWithPreconfirmation(change), JSON.stringify(change)).rejects.toMatchObject({
        code: "CLI_PRECONFIRMATION_INVALID",
      });
    }
  });

  it("refuses other bytes of the sequencer's own signature: a high s, v as 0 or 1, upper case", async () => {
    for (const forged of Object.values(twinsOf)) {
      const send = sendWithPreconfirmation({ forge: forged });
      await expect(send, String(forged)).rejects.toMatchObject({ code: "CLI_PRECONFIRMATION_INVALID" });
    }
  });

  it("refuses to pay a leaf that belongs to somebody else", async () => {
    const send = transfer(fixture.client, { ...payment, expectedOwner: owners.payer });
    await expect(send).rejects.toMatchObject({ code: "CLI_LEAF_OWNER_CHANGED" });
    expect(fixture.sequencer.heard.some(({ route }) => route === submitRoute)).toBe(false);
  });

  it("refuses an amount that no record can hold, and names the nearest below", async () => {
    const send = transfer(fixture.client, { to: 7, amountWei: 10n ** 18n + 1n });
    await expect(send).rejects.toMatchObject({
      code: "OP_AMOUNT_NOT_REPRESENTABLE",
      data: { nearestBelowWei: (10n ** 18n).toString() },
    });
  });

  it("keeps the code of the sequencer's refusal", async () => {
    const error = { code: "OP_BALANCE_TOO_LOW", message: "not enough", data: { id: 4 } };
    fixture.sequencer.answers.set(submitRoute, new FakeFailure(422, { error }));
    await expect(transfer(fixture.client, payment)).rejects.toMatchObject({
      code: "OP_BALANCE_TOO_LOW",
      data: { id: 4 },
    });
  });

  it("takes the answer of an operation that was sent before", async () => {
    const send = transfer(fixture.client, {
      ...payment,
      onSigned: async ({ hash, body }) => {
        const preconfirmation = await fixture.signPreconfirmation({
          operationHash: hash,
          opIndex: 3,
          deadlineSeconds: 99,
        });
        const known = {
          hash,
          ...body,
          signature: undefined,
          amountCode: 1,
          status: "posted",
          preconfirmation,
        };
        fixture.sequencer.answers.set(
          submitRoute,
          new FakeFailure(409, { error: { code: "OP_WRONG_NONCE", message: "used" } }),
        );
        fixture.sequencer.answers.set(`GET /v1/operations/${hash}`, known);
      },
    });
    await expect(send).resolves.toMatchObject({ status: "posted", preconfirmation: { opIndex: 3 } });
  });

  it("refuses a sequencer of another rollup", async () => {
    const info = fixture.sequencer.answers.get("GET /v1/info") as object;
    fixture.sequencer.answers.set("GET /v1/info", { ...info, domain: hex32(5n) });
    await expect(transfer(fixture.client, payment)).rejects.toMatchObject({ code: "CLI_WRONG_ROLLUP" });
  });

  it("asks for a key, and for a sequencer", async () => {
    await expect(transfer({ ...fixture.client, l2Key: null }, payment)).rejects.toMatchObject({
      code: "CLI_NOT_CONFIGURED",
      data: { missing: "l2Key" },
    });
    await expect(transfer({ ...fixture.client, sequencerUrl: null }, payment)).rejects.toMatchObject({
      code: "CLI_NOT_CONFIGURED",
      data: { missing: "sequencerUrl" },
    });
  });

  it("says so where no sequencer answers, and where the answer is something else", async () => {
    const nobody = { ...fixture.client, sequencerUrl: "http://127.0.0.1:1" };
    await expect(transfer(nobody, payment)).rejects.toMatchObject({
      code: "CLI_UNREACHABLE",
      data: { server: "sequencer" },
      isRetryable: true,
    });
    fixture.sequencer.answers.set("GET /v1/info", "<html>a router</html>");
    await expect(transfer(fixture.client, payment)).rejects.toMatchObject({
      code: "CLI_ANSWER_INVALID",
      data: { server: "sequencer" },
    });
  });

  it("asks which account, where several have the key", async () => {
    const route = `GET /v1/leaves?keyX=${hex32(fixture.key.keyX)}`;
    const [leaf] = fixture.sequencer.answers.get(route) as object[];
    fixture.sequencer.answers.set(route, [leaf, { ...leaf, id: 5 }]);
    await expect(transfer(fixture.client, payment)).rejects.toMatchObject({
      code: "CLI_INPUT_INVALID",
      data: { reason: "leaf-ambiguous" },
    });
  });
});
