import { afterAll, beforeEach, expect, it, vi } from "vitest";
import { readQuestion, storeQuestion } from "./question-draft.ts";

const storage = new Map<string, string>();
vi.stubGlobal("sessionStorage", {
  getItem: (name: string) => storage.get(name) ?? null,
  setItem: (name: string, text: string) => void storage.set(name, text),
  removeItem: (name: string) => void storage.delete(name),
});
beforeEach(() => storage.clear());
afterAll(() => vi.unstubAllGlobals());

const texts = { modelId: 18, serverUrl: "http://127.0.0.1:8590" };
const pictures = { modelId: 23, serverUrl: "http://127.0.0.1:8590" };

it("a question for one model is none for another, nor for the same number at another server", () => {
  storeQuestion(texts, "Why is the sea salty?");
  expect(readQuestion(texts)).toBe("Why is the sea salty?");
  expect(readQuestion(pictures)).toBe("");
  expect(readQuestion({ ...texts, serverUrl: "http://127.0.0.1:8591" })).toBe("");
});

it("a question that was asked, or is too long for the tab, leaves nothing behind", () => {
  storeQuestion(pictures, "iVBORw0KGgo=");
  storeQuestion(pictures, "A".repeat(100_001));
  expect(readQuestion(pictures)).toBe("");
  storeQuestion(texts, "Why?");
  storeQuestion(texts, "");
  expect(storage.size).toBe(0);
});
