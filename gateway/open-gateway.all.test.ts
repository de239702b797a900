/** Tests of a gateway on a rollup: paid answers by OpenAI's client, budget and price, failures between answer and payment. */
import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { PRICE_WEI } from "@openledger/models/testing/settling-fixture";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openledgerSchema } from "./asking/received-answer.ts";
import { contributeResult, rowsResult } from "./mcp/mcp-schemas.ts";
import { endGateway, type Gateway, openGateway } from "./open-gateway.ts";
import { BOB, BUDGET_WEI, type GatewayWorld, startGatewayWorld } from "./testing/gateway-world.ts";

const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
let world: GatewayWorld;
beforeAll(async () => {
  world = await startGatewayWorld();
}, 900_000);
afterAll(() => world?.stop());

const clientOf = ({ baseUrl, token }: Gateway) =>
  new OpenAI({ baseURL: baseUrl, apiKey: token.reveal(), maxRetries: 0 });
const ofUser = (content: string) => [{ role: "user" as const, content }];
const fieldOf = (answer: object) => openledgerSchema.parse((answer as { openledger?: unknown }).openledger);

test("an unmodified OpenAI client gets paid answers, whole and streamed", { timeout: 400_000 }, async () => {
  const before = (await getLeaf(world.world.bob, BOB)).balanceWei;
  const gateway = await openGateway(world.options("own"));
  const { leafId } = gateway;
  expect(gateway).toMatchObject({ isNewAccount: true, isNewToken: true });
  expect((await getLeaf(world.world.bob, leafId)).balanceWei).toBe(BUDGET_WEI);
  expect((await getLeaf(world.world.bob, BOB)).balanceWei).toBeLessThanOrEqual(before - BUDGET_WEI);
  for (const name of ["key", "token"])
    expect((await stat(join(world.folder, "own", name))).mode & 0o777).toBe(0o600);
  const openai = clientOf(gateway);
  const listed = (await openai.models.list()).data;
  expect(listed.map(({ id }) => id)).toEqual([`model-${world.directId}`, `model-${world.textId}`]);
  expect(listed[0]).toMatchObject({
    openledger: { priceOpen: "0.5", isPayable: true, isWithinPrice: true, assurance: { answer: "proven" } },
  });

  const label = await openai.chat.completions.create({
    model: `model-${world.directId}`,
    messages: ofUser("win a free cruise now"),
  });
  expect(label.choices[0]).toMatchObject({ finish_reason: "stop", message: { role: "assistant" } });
  const paid = fieldOf(label);
  expect(paid).toMatchObject({
    modelId: world.directId,
    priceOpen: "0.5",
    payment: { payerId: leafId, nonce: 0 },
  });
  expect(paid.rows.length).toBeGreaterThan(0);

  const stream = await openai.chat.completions.create({
    model: `model-${world.textId}`,
    messages: ofUser("dobaki me"),
    stream: true,
  });
  let text = "";
  let last: object = {};
  for await (const part of stream) {
    text += part.choices[0]?.delta.content ?? "";
    last = part;
  }
  expect(text).not.toBe("");
  const streamed = fieldOf(last);
  expect((await world.paidBy(leafId)).map(({ b, words }) => [b, words[0]])).toEqual([
    [world.directId, BigInt(paid.receipt)],
    [world.textId, BigInt(streamed.receipt)],
  ]);

  const response = await openai.responses.create({ model: `model-${world.textId}`, input: "lume nado" });
  expect(response.output_text).not.toBe("");
  expect(fieldOf(response).payment.nonce).toBe(2);
  const events = await openai.responses.create({
    model: `model-${world.textId}`,
    input: [{ role: "user", content: "porasi" }],
    stream: true,
  });
  const kinds: string[] = [];
  let said = "";
  for await (const event of events) {
    kinds.push(event.type);
    if (event.type === "response.output_text.delta") said += event.delta;
    if (event.type === "response.completed" || event.type === "response.incomplete") {
      expect(fieldOf(event.response).payment.nonce).toBe(3);
      expect(event.response.output[0]).toMatchObject({ content: [{ text: said }] });
    }
  }
  expect(kinds[0]).toBe("response.created");

  // The example's agent asks both models, and prints whom it paid.
  const env = { PATH: process.env.PATH, GATEWAY_URL: gateway.baseUrl, GATEWAY_TOKEN: gateway.token.reveal() };
  const agent = await promisify(execFile)(
    process.execPath,
    ["--import", tsx, "examples/pay-agent.ts", "meka"],
    {
      cwd: repositoryRoot,
      env,
    },
  );
  expect(
    agent.stdout.match(/\n {2}paid 0\.5 OPEN, receipt 0x[0-9a-f]{64}\n( {2}[\d.]+ % to account \d+ .*\n)+/g),
  ).toHaveLength(2);

  // A restart takes up the same account, and what is left goes back.
  await gateway.close();
  const again = await openGateway(world.options("own", { funding: null }));
  expect(again).toMatchObject({ leafId, isNewAccount: false, isNewToken: false });
  const bobs = (await getLeaf(world.world.bob, BOB)).balanceWei;
  const { leftWei, returnedWei } = await again.end();
  // Six answers were paid, four here and two by the agent; the rest of the difference is fees.
  const unspentWei = BUDGET_WEI - 6n * PRICE_WEI;
  expect(returnedWei).toBeLessThan(unspentWei);
  expect(returnedWei).toBeGreaterThan(unspentWei - 10n ** 12n);
  expect(leftWei).toBeLessThan(10n ** 9n);
  expect((await getLeaf(world.world.bob, BOB)).balanceWei - bobs).toBe(returnedWei);
  await expect(openGateway(world.options("own", { funding: null }))).rejects.toMatchObject({
    code: "GAT_NO_ACCOUNT",
  });
  await expect(endGateway(world.options("own"))).rejects.toMatchObject({ code: "GAT_NO_ACCOUNT" });
});

test("commits rows by MCP once a person agrees, brings them to a Datanet's host, and finds them there", {
  timeout: 400_000,
}, async () => {
  const { alice } = world.world;
  const { datanetId } = world;
  const host = await world.world.host();
  const card = sampleCard();
  await publishCard({ ...alice, leafId: datanetId }, { datanetId, card });
  await world.world.settle();
  await bringCard(alice, { hostUrl: host.url, datanetId, card });
  const gateway = await openGateway(world.options("rows", { hostUrl: host.url, isConfirmed: true }));
  const client = new Client(
    { name: "a test", version: "1" },
    {
      capabilities: { elicitation: { form: {} } },
      versionNegotiation: { mode: { pin: "2026-07-28" } },
    },
  );
  let isAccepted = false;
  const messages: string[] = [];
  client.setRequestHandler("elicitation/create", ({ params }) => {
    messages.push(params.message);
    return isAccepted ? { action: "accept", content: { pay: true } } : { action: "decline" };
  });
  const headers = { authorization: `Bearer ${gateway.token.reveal()}` };
  const url = new URL(gateway.baseUrl.replace("/v1", "/mcp"));
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
  const text = "The harbour of Naxos shines in the morning.";
  const contribution = { name: "contribute_rows", arguments: { datanetId, rows: [{ text }] } };
  const twin = { datanetId, rows: [{ text, label: "Good" }] };
  try {
    const asked = await client.callTool({ name: "contribute_rows", arguments: twin });
    expect(asked).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/label-twins:label=same.*DNT_READING_OPEN/s) }],
    });
    const choices = { "label-twins:label": "same" };
    const read = await client.callTool({ name: "contribute_rows", arguments: { ...twin, choices } });
    expect(read).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining("GAT_NOT_CONFIRMED") }],
    });
    const declined = await client.callTool(contribution);
    expect(declined).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining("GAT_NOT_CONFIRMED") }],
    });
    expect(await gateway.leftWei()).toBe(BUDGET_WEI);
    isAccepted = true;
    const committed = contributeResult.parse((await client.callTool(contribution)).structuredContent);
    expect(committed).toMatchObject({ state: "committed", rowCount: 1, contributorId: gateway.leafId });
    expect(await gateway.leftWei()).toBeLessThan(BUDGET_WEI);
    expect(messages[1]).toContain(`commit 1 rows to Datanet ${datanetId}: {"text":"The harbour`);
    await world.world.settle();
    const { state } = contributeResult.parse((await client.callTool(contribution)).structuredContent);
    expect(state).toBe("uploaded");
    // Nothing is paid for the upload, and nobody is asked.
    expect(messages).toHaveLength(3);
    const search = { name: "search_rows", arguments: { datanetId, text: "harbour naxos" } };
    const found = async () => rowsResult.parse((await client.callTool(search)).structuredContent);
    await expect
      .poll(found, { timeout: 30_000 })
      .toMatchObject({ total: 1, rows: [{ contributorId: gateway.leafId, excerpt: text }] });
  } finally {
    await client.close();
    await gateway.close();
  }
});
