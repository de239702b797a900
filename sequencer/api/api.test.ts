import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { FIELD_ORDER, KIND, LEAF_KIND, shapeName } from "@openledger/circuits/protocol";
import { preconfirmationTypedData } from "@openledger/circuits/wire/sequencer-preconfirmation";
import { hex32 } from "@openledger/foundation/hex";
import { verifyTypedData } from "viem";
import { describe, expect, it } from "vitest";
import { freshFolder, freshRollup } from "../testing/fresh-rollup.ts";
import {
  l1PositionOf,
  ONE_OPEN_CODE,
  ONE_OPEN_WEI,
  operationJson,
  operatorHeaders,
  signedBy,
  startTestRollup,
  TEST_SHAPE,
  type TestRollup,
  transfer,
} from "../testing/test-rollup.ts";

/** The test deployment's address (test-rollup.ts). */
const ROLLUP = 2n;

const MODEL_WORDS = (owner: bigint, keyX: bigint) => [owner, keyX, 11n, 12n, 13n, 14n, 5n];

describe("POST /v1/operations", () => {
  it("acknowledges a transfer with a preconfirmation that verifies, and answers the same again", async () => {
    const rollup = await freshRollup();
    const [alice, bob] = rollup.users;
    const body = operationJson(transfer(alice!, bob!, 0n));
    const first = await rollup.post("/v1/operations", body);
    expect(first.status).toBe(202);
    expect(first.body).toMatchObject({
      status: "acknowledged",
      preconfirmation: { opIndex: 0, operationHash: first.body.hash },
    });
    const { signature, ...facts } = first.body.preconfirmation;
    const info = (await rollup.get("/v1/info")).body;
    const typedData = preconfirmationTypedData(
      { chainId: info.chainId, rollupAddress: info.rollupAddress },
      facts,
    );
    expect(await verifyTypedData({ address: info.preconfirmationSigner, signature, ...typedData })).toBe(
      true,
    );

    const [second, third] = await Promise.all([
      rollup.post("/v1/operations", body),
      rollup.post("/v1/operations", body),
    ]);
    expect([second.body, third.body]).toEqual([first.body, first.body]);
    const leaf = (await rollup.get(`/v1/leaves/${bob!.id}`)).body;
    expect(leaf).toMatchObject({
      balanceWei: (1_001n * ONE_OPEN_WEI).toString(),
      postedBalanceWei: null,
      kind: "account",
    });
    const stored = (await rollup.get(`/v1/operations/${first.body.hash}`)).body;
    expect(stored).toMatchObject({
      status: "acknowledged",
      kind: "transfer",
      a: alice!.id,
      opIndex: 0,
      preconfirmation: first.body.preconfirmation,
    });
    const listed = (await rollup.get(`/v1/operations?leaf=${bob!.id}`)).body.operations;
    // The deposit that has opened it came through L1's queue.
    const deposit = { hash: null, queueIndex: 1, kind: "depositNew", createdId: bob!.id, opIndex: 0 };
    expect(listed).toMatchObject([{ hash: first.body.hash, kind: "transfer" }, deposit]);
    const older = async (before: string | number, limit = 50) =>
      (await rollup.get(`/v1/operations?leaf=${bob!.id}&before=${before}&limit=${limit}`)).body;
    const end = { nextBefore: null, isComplete: true, prunedBeforeMs: null };
    expect(await older(first.body.hash)).toEqual({ operations: listed.slice(1), ...end });
    expect(await older(1)).toEqual({ operations: [], ...end });
    // A full page does not know whether there is more.
    expect(await older(first.body.hash, 1)).toEqual({
      ...{ operations: listed.slice(1), ...end },
      ...{ nextBefore: 1, isComplete: false },
    });
    expect((await older(9)).error.code).toBe("SEQ_UNKNOWN");
    expect(
      (await rollup.get(`/v1/operations?leaf=${bob!.id}&before=0x${"ab".repeat(31)}cd`)).body.error.code,
    ).toMatch(/^(SRV|SEQ|OP)_/);
  });

  it("executes one of two copies that arrive together", async () => {
    const rollup = await freshRollup();
    const body = operationJson(transfer(rollup.users[0]!, rollup.users[1]!, 0n));
    const answers = await Promise.all(Array.from({ length: 5 }, () => rollup.post("/v1/operations", body)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    expect((await rollup.get("/v1/status")).body.head.opIndex).toBe(1);
  });

  it("gives every bad input a stable code and changes nothing", async () => {
    const rollup = await freshRollup();
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    await rollup.post("/v1/operations", operationJson(transfer(alice, bob, 0n)));
    const created = await rollup.post(
      "/v1/operations",
      operationJson(
        signedBy(alice, { kind: KIND.createModel, nonce: 1n, words: MODEL_WORDS(alice.l1Owner, alice.keyX) }),
      ),
    );
    const modelId = (await rollup.get(`/v1/operations/${created.body.hash}`)).body.createdId as number;
    expect(modelId).toBe(5);
    const good = operationJson(transfer(alice, bob, 2n));
    const balanceWei = BigInt((await rollup.get(`/v1/leaves/${alice.id}`)).body.balanceWei);
    const before = (await rollup.get("/v1/status")).body;
    const oneWeiTooMuch = balanceWei - 40n * 1_000n + 1n;
    const feeOf = (fields: object) => ({ ...good, ...fields });
    const cases: [name: string, status: number, code: string, body: object][] = [
      [
        "a wrong signature",
        422,
        "OP_BAD_SIGNATURE",
        feeOf({ signature: { ...good.signature, s: hex32(1n) } }),
      ],
      [
        "another's signature",
        422,
        "OP_BAD_SIGNATURE",
        operationJson(transfer({ ...bob, id: alice.id }, bob, 2n)),
      ],
      [
        "a replayed nonce",
        409,
        "OP_WRONG_NONCE",
        operationJson(transfer(alice, bob, 0n, { amountCode: ONE_OPEN_CODE + 1n })),
      ],
      [
        "another chain's signature",
        422,
        "OP_BAD_SIGNATURE",
        operationJson(transfer(alice, bob, 2n, { domain: 5n } as object)),
      ],
      [
        "a signature over another B",
        422,
        "OP_BAD_SIGNATURE",
        operationJson(transfer(alice, { ...bob, l1Owner: 1n }, 2n)),
      ],
      [
        "a balance short by 1 wei",
        422,
        "OP_BALANCE_TOO_LOW",
        operationJson(
          signedBy(alice, { kind: KIND.withdraw, nonce: 2n, words: [alice.l1Owner, oneWeiTooMuch] }),
        ),
      ],
      ["an amount code above 40 bits", 400, "OP_MALFORMED", feeOf({ amountCode: (2n ** 40n).toString() })],
      ["a negative amount code", 400, "SRV_BAD_REQUEST", feeOf({ amountCode: -1 })],
      ["an unknown leaf", 404, "OP_UNKNOWN_LEAF", feeOf({ a: 999 })],
      ["an unknown B", 404, "OP_UNKNOWN_LEAF", feeOf({ b: 999 })],
      ["an id above 24 bits", 400, "OP_MALFORMED", feeOf({ b: 2 ** 24 })],
      ["a self-transfer", 422, "SEQ_OPERATION_REFUSED", operationJson(transfer(alice, alice, 2n))],
      [
        "a zero amount",
        422,
        "SEQ_OPERATION_REFUSED",
        operationJson(transfer(alice, bob, 2n, { amountCode: 0n })),
      ],
      [
        "a zero amount with an exponent",
        422,
        "SEQ_OPERATION_REFUSED",
        operationJson(transfer(alice, bob, 2n, { amountCode: 3n << 35n })),
      ],
      [
        "a withdrawal of 0",
        422,
        "SEQ_OPERATION_REFUSED",
        operationJson(signedBy(alice, { kind: KIND.withdraw, nonce: 2n, words: [alice.l1Owner, 0n] })),
      ],
      [
        "a withdrawal to the rollup itself",
        422,
        "SEQ_OPERATION_REFUSED",
        operationJson(signedBy(alice, { kind: KIND.withdraw, nonce: 2n, words: [ROLLUP, 1n] })),
      ],
      [
        "a commit of no rows",
        422,
        "SEQ_OPERATION_REFUSED",
        operationJson(
          signedBy(alice, { kind: KIND.commitData, b: bob.id, bOwner: bob.l1Owner, words: [1n], nonce: 2n }),
        ),
      ],
      [
        "a commit of 2^32 rows",
        422,
        "SEQ_OPERATION_REFUSED",
        operationJson(
          signedBy(alice, {
            kind: KIND.commitData,
            b: bob.id,
            bOwner: bob.l1Owner,
            words: [1n],
            amountCode: 2n ** 32n,
            nonce: 2n,
          }),
        ),
      ],
      [
        "a commit to an account",
        422,
        "OP_WRONG_LEAF_KIND",
        operationJson(
          signedBy(alice, {
            kind: KIND.commitData,
            b: bob.id,
            bOwner: bob.l1Owner,
            words: [1n],
            amountCode: 5n,
            nonce: 2n,
          }),
        ),
      ],
      [
        "a payment to an unapproved model",
        409,
        "OP_MODEL_NOT_PAYABLE",
        operationJson(
          signedBy(alice, {
            kind: KIND.payInference,
            b: modelId,
            bOwner: alice.l1Owner,
            bKind: LEAF_KIND.model,
            amountCode: ONE_OPEN_CODE,
            words: [1n],
            nonce: 2n,
          }),
        ),
      ],
      [
        "a new key that is 0",
        422,
        "SEQ_OPERATION_REFUSED",
        operationJson(signedBy(alice, { kind: KIND.setKey, nonce: 2n, words: [0n] })),
      ],
      [
        "an account with an unusable key",
        422,
        "SEQ_OPERATION_REFUSED",
        operationJson(signedBy(alice, { kind: KIND.createAccount, nonce: 2n, words: [1n, 0n] })),
      ],
      [
        "an account without an owner",
        400,
        "OP_MALFORMED",
        operationJson(signedBy(alice, { kind: KIND.createAccount, nonce: 2n, words: [0n, alice.keyX] })),
      ],
      [
        "a word that is not below r",
        400,
        "OP_MALFORMED",
        { ...feeOf({ kind: "setKey", b: 0, amountCode: 0 }), words: [hex32(FIELD_ORDER)] },
      ],
      [
        "a signature element not below r",
        400,
        "OP_MALFORMED",
        feeOf({ signature: { ...good.signature, r8x: hex32(FIELD_ORDER) } }),
      ],
      ["too many words", 400, "OP_MALFORMED", feeOf({ words: [hex32(1n)] })],
      ["an unreadable word", 400, "SRV_BAD_REQUEST", feeOf({ words: ["0xzz"] })],
      ["a 41-bit nonce", 400, "OP_MALFORMED", feeOf({ nonce: 2 ** 40 })],
      ["a fee of 65 bits", 400, "OP_MALFORMED", feeOf({ maxFeePerUnitWei: (2n ** 64n).toString() })],
      [
        "a fee below the rate",
        422,
        "OP_FEE_TOO_LOW",
        operationJson(transfer(alice, bob, 2n, { maxFeePerUnitWei: 999n })),
      ],
      [
        "a fee below the rate, pending",
        422,
        "OP_FEE_TOO_LOW",
        operationJson(transfer(alice, bob, 9n, { maxFeePerUnitWei: 999n })),
      ],
      [
        "a wrong signature, pending",
        422,
        "OP_BAD_SIGNATURE",
        { ...operationJson(transfer(alice, bob, 9n)), signature: good.signature },
      ],
      ["an unknown kind", 400, "OP_UNKNOWN_KIND", feeOf({ kind: "mint" })],
      ["a queue kind", 400, "OP_UNKNOWN_KIND", feeOf({ kind: "depositNew" })],
      ["a field too many", 400, "SRV_BAD_REQUEST", feeOf({ memo: "hi" })],
      ["a missing signature", 400, "SRV_BAD_REQUEST", feeOf({ signature: undefined })],
      ["an array", 400, "SRV_BAD_REQUEST", []],
    ];
    for (const [name, status, code, body] of cases) {
      const answer = await rollup.post("/v1/operations", body);
      expect({ name, status: answer.status, code: answer.body.error?.code }).toEqual({ name, status, code });
      expect(answer.body.error.docs).toBe(`docs/reference/errors.md#${code.toLowerCase()}`);
    }
    expect((await rollup.get("/v1/status")).body).toEqual(before);
    expect((await rollup.post("/v1/operations", good)).status, "the untouched fixture").toBe(202);
  });

  it("refuses bodies that are no JSON, no JSON type, or too large", async () => {
    const rollup = await freshRollup({ userCount: 1 });
    const send = async (payload: string, contentType: string) => {
      const response = await rollup.app.inject({
        method: "POST",
        url: "/v1/operations",
        payload,
        headers: contentType === "" ? {} : { "content-type": contentType },
      });
      return [response.statusCode, JSON.parse(response.body).error.code];
    };
    expect(await send('{"kind": "transfer"', "application/json")).toEqual([400, "SRV_BAD_REQUEST"]);
    expect(await send("", "application/json")).toEqual([400, "SRV_BAD_REQUEST"]);
    expect(await send('{"__proto__": {"a": 1}}', "application/json")).toEqual([400, "SRV_BAD_REQUEST"]);
    expect(await send("kind=transfer", "application/x-www-form-urlencoded")).toEqual([415, "SRV_MEDIA_TYPE"]);
    expect(await send("x", "text/plain")).toEqual([415, "SRV_MEDIA_TYPE"]);
    expect(await send(`{"a": "${"x".repeat(70_000)}"}`, "application/json")).toEqual([413, "SRV_TOO_LARGE"]);
    expect(await send(`{"a": "${"x".repeat(10_000_000)}"}`, "application/json")).toEqual([
      413,
      "SRV_TOO_LARGE",
    ]);
  });

  it("cuts off an address that asks too often", async () => {
    const rollup = await freshRollup({ userCount: 0, environment: { SEQUENCER_RATE_LIMIT_PER_MINUTE: "3" } });
    for (let i = 0; i < 3; i++) expect((await rollup.get("/v1/info")).status).toBe(200);
    const answer = await rollup.get("/v1/info");
    expect([answer.status, answer.body.error.code]).toEqual([429, "SRV_RATE_LIMITED"]);
    expect((await rollup.get("/health")).status).toBe(200);
  });

  it("opens no batch before it knows L1's head", async () => {
    const folder = freshFolder();
    const first = await startTestRollup({ dataPath: folder });
    await first.post("/operator/close", {}, operatorHeaders);
    await first.stop();
    const rollup = await freshRollup({ dataPath: folder, isL1HeadKnown: false });
    const [alice, bob] = rollup.users;
    const body = operationJson(transfer(alice!, bob!, 0n));
    const refused = await rollup.post("/v1/operations", body);
    expect([refused.status, refused.body.error.code]).toEqual([503, "SEQ_L1_HEAD_UNKNOWN"]);
    const head = { blockNumber: 11, timestamp: 1_800_000_012, place: l1PositionOf(rollup) };
    await rollup.post("/operator/l1-head", head, operatorHeaders);
    expect((await rollup.post("/v1/operations", body)).status).toBe(202);
  });
});

describe("other routes", () => {
  it("answer typed errors", async () => {
    const rollup = await freshRollup({ userCount: 1 });
    const cases: [url: string, status: number, code: string][] = [
      ["/v1/nothing", 404, "SRV_UNKNOWN_ROUTE"],
      ["/v1/leaves/999", 404, "OP_UNKNOWN_LEAF"],
      ["/v1/leaves/x", 400, "SRV_BAD_REQUEST"],
      ["/v1/leaves", 400, "SRV_BAD_REQUEST"],
      ["/v1/leaves?owner=0x1", 400, "SRV_BAD_REQUEST"],
      ["/v1/leaves?keyX=0x1&datanetId=1", 400, "SRV_BAD_REQUEST"],
      [`/v1/operations/${hex32(1n)}`, 404, "SEQ_UNKNOWN"],
      ["/v1/operations/0x1", 400, "SRV_BAD_REQUEST"],
      ["/v1/operations?leaf=2&limit=0", 400, "SRV_BAD_REQUEST"],
      ["/v1/operations?leaf=999", 404, "OP_UNKNOWN_LEAF"],
      ["/v1/batches/99", 404, "SEQ_UNKNOWN"],
      ["/v1/queue/99", 404, "SEQ_UNKNOWN"],
      ["/v1/leaves/%zz", 400, "SRV_BAD_REQUEST"],
    ];
    for (const [url, status, code] of cases) {
      const answer = await rollup.get(url);
      expect({ url, status: answer.status, code: answer.body.error?.code }).toEqual({ url, status, code });
    }
    for (const headers of [
      {},
      { authorization: "Bearer wrong" },
      { authorization: operatorHeaders.authorization.slice(0, -1) },
    ]) {
      const answer = await rollup.post("/operator/close", {}, headers as Record<string, string>);
      expect([answer.status, answer.body.error.code]).toEqual([401, "SRV_UNAUTHORIZED"]);
    }
  });

  it("close the open batch in the place that the operator names, and leave it open where there is no circuit for it", async () => {
    const rollup = await freshRollup();
    const [alice, bob] = rollup.users;
    const pay = (nonce: bigint) =>
      rollup.post("/v1/operations", operationJson(transfer(alice!, bob!, nonce)));
    const closeInto = async (body: object) => {
      const answer = await rollup.post("/operator/close", body, operatorHeaders);
      return [answer.status, answer.body.error?.code ?? answer.body.batchNumber];
    };
    await pay(0n);
    const open = (await rollup.get("/v1/status")).body.head.batchNumber;
    expect(await closeInto({ place: "blob" })).toEqual([409, "SEQ_PLACE_IMPOSSIBLE"]);
    expect(await closeInto({ place: "paper" })).toEqual([400, "SRV_BAD_REQUEST"]);
    expect(await closeInto({ places: "blob" })).toEqual([400, "SRV_BAD_REQUEST"]);
    expect((await rollup.get("/v1/status")).body.head).toMatchObject({
      batchNumber: open,
      operationCount: 1,
    });
    expect(await closeInto({ place: "calldata" })).toEqual([200, open]);
    expect(await closeInto({ place: "auto" }), "nothing is open").toEqual([200, null]);
    await pay(1n);
    const bare = { method: "POST", url: "/operator/close", headers: operatorHeaders } as const;
    expect(JSON.parse((await rollup.app.inject(bare)).body)).toEqual({ batchNumber: open + 1 });
  });

  it("say in the status what the operator tells every reader, until the operator takes it back", async () => {
    const rollup = await freshRollup();
    const tell = async (notice: object | null) =>
      (await rollup.post("/operator/notice", { notice }, operatorHeaders)).status;
    const notice = { title: "A move to another machine", text: "Deposits wait.", untilMs: 1_800_000_000_000 };
    const read = async () => (await rollup.get("/v1/status")).body.operator.notice;
    expect(await read()).toBe(null);
    expect([await tell(notice), await read()]).toEqual([200, notice]);
    expect([await tell({ ...notice, title: "x".repeat(101) }), await read()]).toEqual([400, notice]);
    expect([await tell(null), await read()]).toEqual([200, null]);
  });

  it("find leaves by owner, by key and by Datanet, and describe the rollup", async () => {
    const rollup = await freshRollup();
    const [alice] = rollup.users;
    expect(
      (await rollup.get(`/v1/leaves?owner=0x${alice!.l1Owner.toString(16).padStart(40, "0")}`)).body,
    ).toHaveLength(1);
    expect((await rollup.get(`/v1/leaves?keyX=${hex32(alice!.keyX)}`)).body[0].id).toBe(alice!.id);
    const words = MODEL_WORDS(alice!.l1Owner, alice!.keyX);
    const { datanetId } = unpackBinding(words[5]!);
    const body = operationJson(signedBy(alice!, { kind: KIND.createModel, nonce: 0n, words }));
    expect((await rollup.post("/v1/operations", body)).status).toBe(202);
    expect((await rollup.get(`/v1/leaves?datanetId=${datanetId}`)).body).toMatchObject([{ kind: "model" }]);
    expect((await rollup.get(`/v1/leaves?datanetId=${datanetId + 1n}`)).body).toEqual([]);
    const [model] = (await rollup.get(`/v1/leaves?datanetId=${datanetId + 1n},${datanetId}`)).body;
    expect(model).toMatchObject({ kind: "model" });
    for (const [after, count] of [
      [model.id - 1, 1],
      [model.id, 0],
    ])
      expect((await rollup.get(`/v1/leaves?datanetId=${datanetId}&after=${after}`)).body).toHaveLength(
        count!,
      );
    const info = (await rollup.get("/v1/info")).body;
    expect(info).toMatchObject({
      chainId: 31337,
      feePerUnitWei: "1000",
      weights: { transfer: 10 },
      circuits: [{ name: shapeName(TEST_SHAPE) }],
    });
    const openApi = (await rollup.get("/openapi.json")).body;
    expect(Object.keys(openApi.paths)).toEqual(
      expect.arrayContaining(["/v1/operations", "/operator/batches/{number}/l1"]),
    );
    expect(
      openApi.paths["/v1/operations"].post.requestBody.content["application/json"].schema.properties.kind
        .type,
    ).toBe("string");
    const docs = await rollup.app.inject("/docs");
    expect(docs.statusCode).toBe(200);
    for (const text of ["/v1/operations/{hash}", "/operator/close", "maxFeePerUnitWei"])
      expect(docs.body).toContain(text);
    const metrics = (await rollup.app.inject("/metrics")).body;
    expect(metrics).toContain('rollup_operations_total{kind="depositNew"} 3');
  });
});
