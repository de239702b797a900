import { afterAll, beforeEach, expect, it, vi } from "vitest";
import { HELD_COUNT, type HeldLabel, LabelOutbox } from "./label-outbox.ts";

/** The browser's storage, as far as it is used. */
const storage = new Map<string, string>();
vi.stubGlobal("localStorage", {
  getItem: (name: string) => storage.get(name) ?? null,
  setItem: (name: string, text: string) => void storage.set(name, text),
  removeItem: (name: string) => void storage.delete(name),
});
const heard = new EventTarget();
vi.stubGlobal("window", heard);
beforeEach(() => storage.clear());
afterAll(() => vi.unstubAllGlobals());

const label = (i: number): HeldLabel => ({
  row: i.toString(16).padStart(64, "0"),
  label: "good",
  flags: [],
  note: "",
  atMs: i,
  excerpt: `row ${i}`,
});

it("holds the last labels back, so that they can be taken back, and sends the older ones", async () => {
  const sent: number[] = [];
  const outbox = new LabelOutbox("a", async (labels) => void sent.push(...labels.map(({ atMs }) => atMs)));
  for (let i = 1; i <= 5; i++) await outbox.give(label(i));
  expect(sent).toEqual([1, 2]);
  expect(outbox.undo()).toMatchObject({ atMs: 5 });
  expect(outbox.held.value.map(({ atMs }) => atMs)).toEqual([3, 4]);
  await outbox.flush();
  expect(sent).toEqual([1, 2, 3, 4]);
  expect([outbox.undo(), storage.size]).toEqual([null, 0]);
});

it("survives a reload, and loses nothing where the host does not answer", async () => {
  const broken = new LabelOutbox("a", () => Promise.reject(new Error("no answer")));
  for (let i = 1; i <= HELD_COUNT; i++) await broken.give(label(i));
  await expect(broken.give(label(9))).rejects.toThrow("no answer");
  const sent: number[] = [];
  const again = new LabelOutbox("a", async (labels) => void sent.push(...labels.map(({ atMs }) => atMs)));
  expect(again.held.value.map(({ atMs }) => atMs)).toEqual([1, 2, 3, 9]);
  await again.flush();
  expect(sent).toEqual([1, 2, 3, 9]);
});

it("takes nothing from a storage in which somebody else has written", () => {
  storage.set("a", '{"row":1}');
  expect(new LabelOutbox("a", async () => {}).held.value).toEqual([]);
});

it("keeps what another tab of the same Datanet was given", async () => {
  const sent: number[] = [];
  const send = async (labels: readonly HeldLabel[]) => void sent.push(...labels.map(({ atMs }) => atMs));
  const [here, there] = [new LabelOutbox("a", send), new LabelOutbox("a", send)];
  await here.give(label(1));
  await there.give(label(2));
  expect(new LabelOutbox("a", send).held.value.map(({ atMs }) => atMs)).toEqual([1, 2]);
  heard.dispatchEvent(Object.assign(new Event("storage"), { key: "a" }));
  expect(here.undo()).toMatchObject({ atMs: 2 });
  await there.flush();
  expect(new LabelOutbox("a", send).held.value.map(({ atMs }) => atMs)).not.toContain(2);
});
