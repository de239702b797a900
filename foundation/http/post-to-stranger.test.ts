/** Tests of requests to strangers' addresses, with a server of names on this machine. */
import { createSocket } from "node:dgram";
import dns from "node:dns/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { isPublicAddress, postToStranger, strangersUrl } from "./post-to-stranger.ts";

let server: Server;
let port: number;
let question = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    question += 1;
    if (request.url === "/silent") return;
    const status = Number(request.url?.slice(1));
    response.writeHead(status, { location: "/200" });
    // An endless answer: nobody reads it.
    const more = setInterval(() => response.write("x".repeat(65_536)), 1);
    response.on("close", () => clearInterval(more));
  });
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const post = (url: string, allowedHosts: readonly string[] = [], timeoutMs = 5_000) =>
  postToStranger(url, { body: "{}", headers: {}, timeoutMs, allowedHosts }).catch(
    ({ code, name }: { code?: string; name: string }) => (typeof code === "string" ? code : name),
  );

it("knows public addresses from all others", () => {
  const others =
    "127.0.0.1 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 100.127.255.255 192.0.2.1 198.18.0.1 224.0.0.1 255.255.255.255 :: ::1 ::ffff:8.8.8.8 ::ffff:7f00:1 64:ff9b::7f00:1 fc00::1 fd12::1 fe80::1 fe80::1%eth0 ff02::1 2001::1 2001:db8::1 2002:7f00:1:: localhost";
  for (const address of others.split(" ")) expect(isPublicAddress(address), address).toBe(false);
  const open =
    "8.8.8.8 172.15.255.255 172.32.0.1 100.63.255.255 100.128.0.1 2606:4700::1111 2a00:1450:4001::1";
  for (const address of open.split(" ")) expect(isPublicAddress(address), address).toBe(true);
});

it("calls no private address, however it is written, by no other scheme and with no password", async () => {
  const urls =
    "http://example.org https://127.0.0.1/ https://0x7f.1/ https://2130706433/ https://[::1]/ https://[::ffff:127.0.0.1]/ https://user@example.org/ ftp://example.org/ file:///etc/passwd nothing";
  for (const url of urls.split(" "))
    expect(() => strangersUrl(url, { allowedHosts: [] }), url).toThrow(
      expect.objectContaining({ code: "SRV_ADDRESS_REFUSED" }),
    );
  // A name that leads to this machine.
  expect(await post("https://localhost/200")).toBe("SRV_ADDRESS_REFUSED");
  expect(await post(`http://127.0.0.1:${port}/200`, ["localhost"])).toBe("SRV_ADDRESS_REFUSED");
  expect(question).toBe(0);
});

it("calls a name that the operator allows, follows no redirect, and waits no longer than it may", async () => {
  const at = (path: string) => `http://localhost:${port}/${path}`;
  expect(await post(at("200"), ["localhost"])).toBe(200);
  expect(await post(at("302"), ["localhost"])).toBe(302);
  expect(question).toBe(2);
  expect(await post(at("silent"), ["localhost"], 100)).toMatch(/TimeoutError|23/);
});

/** A server of names: inner.example leads to private addresses, and of others it says nothing. */
async function nameServer(): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("message", (query, { address, port: from }) => {
    const end = query.indexOf(0, 12) + 5;
    const isFour = query.readUInt16BE(end - 4) === 1;
    if (!query.subarray(12, end).includes("inner")) return;
    const bytes = isFour ? [127, 0, 0, 1] : [...new Array(15).fill(0), 1];
    // One question and one answer: name by a pointer, type, class IN, a minute, the address.
    const head = [query[0]!, query[1]!, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
    const answer = [0xc0, 12, 0, isFour ? 1 : 28, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes];
    socket.send(Buffer.from([...head, ...query.subarray(12, end), ...answer]), from, address);
  });
  await new Promise<void>((settle) => socket.bind(0, "127.0.0.1", settle));
  const before = dns.getServers();
  dns.setServers([`127.0.0.1:${socket.address().port}`]);
  onTestFinished(() => {
    dns.setServers(before);
    socket.close();
  });
}

it("asks DNS for a stranger's name, refuses private addresses there, and waits for no silent server", async () => {
  await nameServer();
  expect(await post("https://inner.example/200")).toBe("SRV_ADDRESS_REFUSED");
  const startedAtMs = performance.now();
  expect(await post("https://silent.example/200", [], 200)).toMatch(/TimeoutError|23/);
  expect(performance.now() - startedAtMs).toBeLessThan(2_000);
});
