/** Tests of POST /v1/operations/batch, many signed operations in one body. */
import { SUBGROUP_ORDER } from "@openledger/circuits/field/curve/eddsa";
import { useNativeField } from "@openledger/circuits/field/poseidon";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { loadNativeField } from "@openledger/circuits/native/native-field";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import {
  decodeBatch,
  decodeBatchAnswers,
  encodeBatch,
  encodeBatchAnswers,
} from "@openledger/circuits/wire/operation-batch";
import { runs, TestRandom } from "@openledger/foundation/testing/test-random";
import { afterAll, describe, expect, it } from "vitest";
import { freshRollup } from "../testing/fresh-rollup.ts";
import { operationJson, type TestRollup, type TestUser, transfer } from "../testing/test-rollup.ts";

const octets = { "content-type": "application/octet-stream" };
const send = async ({ app }: TestRollup, payload: Uint8Array, headers: Record<string, string> = octets) => {
  const response = await app.inject({
    method: "POST",
    url: "/v1/operations/batch",
    headers,
    payload: Buffer.from(payload),
  });
  const { rawPayload, statusCode } = response;
  return statusCode === 200
    ? decodeBatchAnswers(rawPayload)
    : { statusCode, code: JSON.parse(response.body).error.code };
};
const one = () =>
  transfer({ secret: 1n, id: 2, l1Owner: 1n, keyX: 1n }, { id: 3, l1Owner: 2n } as TestUser, 0n);

/** Random operation, valid or not; `nonces` are the users' next nonces. */
function randomOperation(random: TestRandom, users: readonly TestUser[], nonces: bigint[]): SignedOperation {
  const position = random.below(users.length);
  const [user, to] = [
    users[position]!,
    users[(position + 1 + random.below(users.length - 1)) % users.length]!,
  ];
  const good = transfer(user, to, nonces[position]!);
  const { signature } = good;
  const signed = (change: object) => ({ ...good, signature: { ...signature, ...change } });
  switch (random.below(12)) {
    case 0:
      return signed({ s: (signature.s + 1n) % SUBGROUP_ORDER });
    case 1:
      return signed({ s: signature.s + SUBGROUP_ORDER });
    case 2:
      return signed({ r8x: random.pick([0n, 1n, FIELD_ORDER, FIELD_ORDER - 1n]) });
    case 3:
      return signed({ r8x: FIELD_ORDER - signature.r8x });
    case 4:
      return { ...good, amountCode: random.pick([0n, 1n << 40n, good.amountCode + 1n]) };
    case 5:
      return { ...good, kind: random.pick([0, 1, 14, 255]) };
    case 6:
      return { ...good, a: random.pick([1, 99, 2 ** 24]) };
    case 7:
      return transfer({ ...user, secret: user.secret + 1n }, to, nonces[position]!);
    case 8:
      return transfer(user, to, nonces[position]! === 0n ? 0n : nonces[position]! - 1n, { amountCode: 7n });
    default:
      nonces[position]! += 1n;
      return good;
  }
}

describe("POST /v1/operations/batch", () => {
  afterAll(() => useNativeField(null));

  it("judges in C++ and in one body as WebAssembly does one by one", async () => {
    const [quick, plain] = [await freshRollup(), await freshRollup()];
    const random = new TestRandom(7);
    const nonces = quick.users.map(() => 0n);
    const seen = new Set<string>();
    for (let left = runs(2_000); left > 0; left -= 40) {
      const operations = Array.from({ length: 40 }, () => randomOperation(random, quick.users, nonces));
      useNativeField(loadNativeField());
      const answers = await send(quick, encodeBatch(operations));
      if (!Array.isArray(answers)) throw new Error(answers.code);
      useNativeField(null);
      for (const [i, operation] of operations.entries()) {
        const { body } = await plain.post("/v1/operations", operationJson(operation));
        const answer = answers[i]!;
        if ("error" in answer) {
          expect((answer.error as { code: string }).code).toBe(body.error.code);
          seen.add(body.error.code);
        } else {
          // Only the order among leaves may differ, and the time at which a batch is closed: a repeated operation reports
          // it.
          const statusOf = ({ status }: { status: string }) => status.replace("closed", "acknowledged");
          expect([answer.hash, statusOf(answer)]).toEqual([body.hash, statusOf(body)]);
          expect(answer.preconfirmation?.operationHash).toBe(body.hash);
          seen.add(answer.status);
        }
      }
    }
    for (const { id } of quick.users)
      expect((await quick.get(`/v1/leaves/${id}`)).body).toEqual((await plain.get(`/v1/leaves/${id}`)).body);
    expect([...seen].sort()).toEqual(
      expect.arrayContaining(["OP_BAD_SIGNATURE", "OP_MALFORMED", "OP_UNKNOWN_KIND", "acknowledged"]),
    );
  });

  it("refuses bodies of another form before it works on any operation", async () => {
    const rollup = await freshRollup();
    const good = encodeBatch([one()]);
    const codeOf = async (payload: Uint8Array, headers?: Record<string, string>) =>
      ((await send(rollup, payload, headers)) as { code: string }).code;
    expect(await codeOf(good.subarray(0, good.length - 1))).toBe("SRV_BAD_REQUEST");
    expect(await codeOf(Uint8Array.of(1))).toBe("SRV_BAD_REQUEST");
    const many = new Uint8Array(1 + 257 * (good.length - 1));
    many.set(good);
    for (let i = 1; i < 257; i++) many.set(good.subarray(1), 1 + i * (good.length - 1));
    expect(await codeOf(many)).toBe("SRV_BAD_REQUEST");
    expect(await codeOf(new Uint8Array(170_000))).toBe("SRV_TOO_LARGE");
    expect(await codeOf(Buffer.from("{}"), { "content-type": "application/json" })).toBe("SRV_MEDIA_TYPE");
    expect(await send(rollup, Uint8Array.of(2))).toEqual([]);
    const limited = await freshRollup({ environment: { SEQUENCER_RATE_LIMIT_PER_MINUTE: "100" } });
    expect(await codeOf(encodeBatch(Array.from({ length: 101 }, one)))).not.toBe("SRV_RATE_LIMITED");
    const answer = await send(limited, encodeBatch(Array.from({ length: 101 }, one)));
    expect(answer).toMatchObject({ code: "SRV_RATE_LIMITED" });
  });

  it("has answers that are read as they were written", () => {
    const operation = { ...one(), words: [1n, FIELD_ORDER - 1n] };
    expect(decodeBatch(encodeBatch([operation, one()]))).toEqual([operation, one()]);
    const hash = `0x${"ab".repeat(32)}` as const;
    const preconfirmation = {
      operationHash: hash,
      opIndex: 2 ** 40,
      deadlineSeconds: 5,
      signature: `0x${"cd".repeat(65)}` as const,
    };
    const answers = [
      { hash, status: "acknowledged" as const, preconfirmation },
      { error: { code: "OP_WRONG_NONCE", message: "é" } },
      { hash, status: "pending" as const, preconfirmation: null },
    ];
    expect(decodeBatchAnswers(encodeBatchAnswers(answers))).toEqual(answers);
  });
});
