import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { freshFolder, freshRollup } from "../testing/fresh-rollup.ts";

async function start(environment: Record<string, string>) {
  const folder = freshFolder();
  const pages = join(folder, "pages");
  mkdirSync(join(pages, "assets"), { recursive: true });
  writeFileSync(join(pages, "index.html"), "<!doctype html>");
  writeFileSync(join(pages, "assets", "main-abc.js"), "1;");
  writeFileSync(join(pages, "assets", "main-abc.js.gz"), gzipSync("1;"));
  writeFileSync(join(folder, "secret.txt"), "not for the world");
  const served =
    environment.SEQUENCER_PAGES_PATH === "here" ? { ...environment, SEQUENCER_PAGES_PATH: pages } : {};
  const rollup = await freshRollup({ dataPath: join(folder, "data"), environment: served });
  return (url: string, headers: Record<string, string> = {}) =>
    rollup.app.inject({ method: "GET", url, headers });
}

describe("pages at /", () => {
  const environment = {
    SEQUENCER_PAGES_PATH: "here",
    SEQUENCER_PAGES_L1_URL: "http://127.0.0.1:8545/key",
    SEQUENCER_PAGES_ANSWER_SERVERS: "http://127.0.0.1:8700 http://127.0.0.1:8798",
    SEQUENCER_PAGES_DATANET_HOSTS: "http://127.0.0.1:8560",
    SEQUENCER_PAGES_FACTORY: "http://127.0.0.1:8570/",
    SEQUENCER_PAGES_SOURCE_URL: "https://code.example/openledger",
  };

  it("come with a policy that takes no inline script, no other origin, and no frame", async () => {
    const get = await start(environment);
    const { statusCode, headers } = await get("/");
    expect(statusCode).toBe(200);
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    const others = [8545, 8700, 8798, 8560, 8570].map((port) => `http://127.0.0.1:${port}`);
    expect(policy).toContain(`connect-src 'self' ${others.join(" ")};`);
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|\*/);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "x-frame-options": "DENY",
      "cache-control": "no-cache",
    });
    expect((await get("/assets/main-abc.js")).headers["cache-control"]).toContain("immutable");
    expect((await get("/pages.json")).json()).toEqual({
      l1Url: "http://127.0.0.1:8545/key",
      answerServers: ["http://127.0.0.1:8700", "http://127.0.0.1:8798"],
      datanetHosts: ["http://127.0.0.1:8560"],
      factoryUrl: "http://127.0.0.1:8570/",
      sourceUrl: "https://code.example/openledger",
      governance: null,
    });
  });

  it("go out packed, where a packed form is beside the file and the reader takes it", async () => {
    const get = await start(environment);
    const packed = await get("/assets/main-abc.js", { "accept-encoding": "gzip, br" });
    expect(packed.headers).toMatchObject({
      "content-encoding": "gzip",
      "content-type": expect.stringContaining("javascript"),
      "cache-control": expect.stringContaining("immutable"),
    });
    expect(gunzipSync(packed.rawPayload).toString()).toBe("1;");
    const page = await get("/", { "accept-encoding": "gzip, br" });
    expect([page.statusCode, page.body]).toEqual([200, "<!doctype html>"]);
    expect((await get("/assets/main-abc.js")).body).toBe("1;");
  });

  it("hide no route of the API, and give nothing from beside their folder", async () => {
    const get = await start(environment);
    expect((await get("/v1/info")).json()).toHaveProperty("rollupAddress");
    for (const url of ["/nothing", "/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt"]) {
      const answer = await get(url);
      expect([answer.statusCode, answer.json().error.code], url).toEqual([404, "SRV_UNKNOWN_ROUTE"]);
    }
  });

  it("give a browser at an unknown address a page with a way back, and a program its error", async () => {
    const get = await start(environment);
    const browser = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
    for (const url of ["/nonsense", "/models", "/leaf/7", "/x/%3Cscript%3E"]) {
      const { body, headers, statusCode } = await get(url, browser);
      expect([statusCode, headers["content-type"]], url).toEqual([404, "text/html; charset=utf-8"]);
      expect(body, url).toContain('<a href="/">');
      expect(body, url).not.toMatch(/script|nonsense/);
      expect(headers["content-security-policy"], url).toMatch(/^default-src 'none'/);
      expect((await get(url)).json().error.code, url).toBe("SRV_UNKNOWN_ROUTE");
    }
    for (const url of ["/v1/nonsense", "/docs/nonsense"])
      expect((await get(url, browser)).json().error.code, url).toBe("SRV_UNKNOWN_ROUTE");
  });

  it("share their origin with nothing laxer: no script runs in what is not theirs, and nobody frames it", async () => {
    const get = await start(environment);
    for (const url of [
      "/docs",
      "/docs/",
      "/docs/static/swagger-ui-bundle.js",
      "/openapi.json",
      "/v1/info",
      "/%",
      "/x",
    ]) {
      const { body, headers } = await get(url);
      const policy = String(headers["content-security-policy"]);
      expect(policy, url).toMatch(/^default-src 'none';.* frame-ancestors 'none'; sandbox$/);
      expect(policy, url).not.toMatch(/script-src|allow-scripts|unsafe/);
      expect(headers, url).toMatchObject({ "x-content-type-options": "nosniff", "x-frame-options": "DENY" });
      expect(body, url).not.toContain("<script");
    }
    const forbidden = await get("/docs/static/../../../../package.json");
    expect([forbidden.statusCode, forbidden.json().error.code]).toEqual([404, "SRV_UNKNOWN_ROUTE"]);
  });

  it("are not there where none were named", async () => {
    const get = await start({});
    expect((await get("/")).json().error.code).toBe("SRV_UNKNOWN_ROUTE");
  });
});
