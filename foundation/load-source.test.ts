import { once } from "node:events";
import { setEnvironmentData, Worker } from "node:worker_threads";
import { findBundle } from "@openledger/foundation/load-source";
import { expect, test } from "vitest";

test("a thread has the bundle that its process has found, and looks at no source again", async () => {
  const found = findBundle();
  const url = new URL("./load-source.js", import.meta.url).href;
  const ofThread = async () => {
    const code = `import("${url}").then((m) => require("node:worker_threads").parentPort.postMessage(m.findBundle()))`;
    return (await once(new Worker(code, { eval: true, execArgv: [] }), "message"))[0];
  };
  expect(await ofThread()).toEqual(found);
  const other = { "a/main.ts": "build/a-main.js" };
  setEnvironmentData("openledger/bundle", other);
  try {
    expect(await ofThread()).toEqual(other);
  } finally {
    expect(findBundle()).toEqual(found);
  }
});
