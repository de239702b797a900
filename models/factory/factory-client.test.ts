import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { createLedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { expect, it, onTestFinished } from "vitest";
import { FactoryClient } from "./factory-client.ts";

/** A factory that names `names`, and gives `content` for each of them. */
async function factoryOf(names: readonly string[], content: string | Readable): Promise<FactoryClient> {
  const sha256 = createHash("sha256").update("weights").digest("hex");
  const fixture = await createLedgerFixture({ hasFeed: false });
  const { domain, rollupAddress } = fixture.client;
  const server = createServer((request, response) => {
    request.resume();
    const origin = `http://${request.headers.host}`;
    if (request.url === "/v1/info")
      return response.end(
        JSON.stringify({ domain: `0x${domain.toString(16)}`, origin, rollupAddress, session: "s" }),
      );
    if (request.method !== "POST")
      return typeof content === "string" ? response.end(content) : content.pipe(response);
    response.setHeader("content-type", "application/json");
    const files = names.map((name) => ({ name, sizeBytes: 7, sha256 }));
    return response.end(JSON.stringify({ form: "adapter", files }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await fixture.close();
  });
  return new FactoryClient(fixture.client, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, 4);
}

it("takes no file of an export whose name leads out of a folder: its caller writes it there", async () => {
  for (const name of ["../account.json", "a/b", "/etc/x", "..", "a\\b", ".env", ""]) {
    const factory = await factoryOf(["adapter_config.json", name], "weights");
    await expect(factory.export("job", "adapter"), name).rejects.toMatchObject({
      code: "CLI_ANSWER_INVALID",
      cause: expect.objectContaining({ issues: [expect.objectContaining({ path: ["files", 1, "name"] })] }),
    });
  }
});

it("takes no other bytes than the export names: cut off, or changed", async () => {
  const taken = async (content: string) => {
    const factory = await factoryOf(["adapter_model.safetensors"], content);
    const { files } = await factory.export("job", "adapter");
    return Buffer.from(await factory.file("job", "adapter", files[0]!)).toString();
  };
  expect(await taken("weights")).toBe("weights");
  for (const content of ["weight", "weighty"])
    await expect(taken(content), content).rejects.toMatchObject({ code: "CLI_ANSWER_INVALID" });
});

it("reads no further than the bytes that the export names", async () => {
  let sentBytes = 0;
  const endless = new Readable({
    read() {
      sentBytes += 65_536;
      this.push(sentBytes > 2 ** 28 ? null : Buffer.alloc(65_536));
    },
  });
  const factory = await factoryOf(["adapter_model.safetensors"], endless);
  const { files } = await factory.export("job", "adapter");
  await expect(factory.file("job", "adapter", files[0]!)).rejects.toMatchObject({
    code: "CLI_ANSWER_INVALID",
  });
  expect(sentBytes).toBeLessThan(2 ** 25);
});
