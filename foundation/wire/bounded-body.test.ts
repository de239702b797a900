import { expect, it } from "vitest";
import { BodyTooLong, boundedBytes, boundedJson } from "./bounded-body.ts";

/** An answer in parts; `announced` is its content-length. */
function answerOf(parts: readonly number[], announced: number | null = null) {
  let questionCount = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const length = parts[questionCount];
        questionCount += 1;
        if (length === undefined) controller.close();
        else controller.enqueue(new Uint8Array(length).fill(questionCount));
      },
    },
    { highWaterMark: 0 },
  );
  const headers: Record<string, string> = announced === null ? {} : { "content-length": `${announced}` };
  return { response: new Response(body, { headers }), asked: () => questionCount };
}
const bytesOf = (parts: readonly number[]) =>
  Buffer.concat(parts.map((length, i) => Buffer.alloc(length, i + 1)));

const PARTS = [3, 70_000, 1, 200_000] as const;
const LENGTH = 270_004;

it.each([null, LENGTH, 5, LENGTH * 10])(
  "reads a body whole, whatever length it announces: %s",
  async (announced) => {
    const read = await boundedBytes(answerOf(PARTS, announced).response, 2 ** 20);
    expect(Buffer.compare(read, bytesOf(PARTS))).toBe(0);
    expect(read.buffer.byteLength).toBe(LENGTH);
  },
);

it.each([null, LENGTH, 10 * LENGTH])(
  "ends where a body is too long, whatever length it announces: %s",
  async (announced) => {
    const { asked, response } = answerOf([...PARTS, 1, 1, 1], announced);
    await expect(boundedBytes(response, LENGTH - 1)).rejects.toThrow(BodyTooLong);
    expect(asked()).toBeLessThanOrEqual(PARTS.length + 1);
  },
);

it("takes a body of exactly as many bytes as it may have", async () => {
  expect((await boundedBytes(answerOf(PARTS).response, LENGTH)).length).toBe(LENGTH);
  expect((await boundedBytes(answerOf([]).response, 0)).length).toBe(0);
});

it("refuses bytes that are no UTF-8", async () => {
  await expect(boundedJson(new Response(Uint8Array.of(0x22, 0xff, 0x22)), 10)).rejects.toThrow();
});
