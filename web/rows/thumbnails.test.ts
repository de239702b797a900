import { expect, it } from "vitest";
import { pictureAddress } from "./picture-address.ts";
import { Thumbnails } from "./thumbnails.ts";

const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1);
const rows = (first: number, count: number, bytes = 9) =>
  Array.from({ length: count }, (_, i) => ({ digest: `${first + i}`, bytes }));

/** Answers as a host does: as many as fit. */
function listen({ room = 5, content = PNG, fail = (): boolean => false, maxCharacters = 1_000_000 } = {}) {
  const asked: (readonly string[])[] = [];
  const pictures = new Thumbnails(
    async (digests) => {
      asked.push(digests);
      if (fail()) throw new Error("no answer");
      return digests.slice(0, room).map(() => content);
    },
    () => {},
    maxCharacters,
  );
  return { asked, pictures };
}

it("fetches the pictures in sight once, as many as fit an answer", async () => {
  const { asked, pictures } = listen();
  pictures.want(rows(0, 8));
  await expect.poll(() => pictures.address("7")).toMatch(/^data:image\/png;base64,/);
  expect(asked.map(({ length }) => length)).toEqual([8, 3]);
  pictures.want(rows(2, 6));
  expect(asked).toHaveLength(2);
});

it("leaves large ones, what is no picture, and what is out of sight again", async () => {
  const { asked, pictures } = listen({ content: Uint8Array.of(60, 115, 118, 103) });
  pictures.want([...rows(0, 1), ...rows(1, 1, 1_000_001)]);
  pictures.want(rows(5, 2));
  await expect.poll(() => asked).toEqual([["0"], ["5", "6"]]);
  expect(pictures.address("0")).toBeUndefined();
});

it("asks again when rows come into sight after a failure", async () => {
  let isDown = true;
  const { asked, pictures } = listen({ fail: () => isDown });
  pictures.want(rows(0, 1));
  await expect.poll(() => asked).toHaveLength(1);
  isDown = false;
  await expect
    .poll(() => {
      pictures.want(rows(0, 1));
      return pictures.address("0");
    })
    .toBeDefined();
});

it("keeps a bounded number of characters, and all that is in sight", async () => {
  const { pictures } = listen({ room: 16, maxCharacters: 24 * pictureAddress(PNG)!.length });
  for (let first = 0; first < 60; first += 12) {
    pictures.want(rows(first, 12));
    await expect.poll(() => pictures.address(`${first + 11}`)).toBeDefined();
  }
  expect(pictures.address("0")).toBeUndefined();
  for (let i = 48; i < 60; i++) expect(pictures.address(`${i}`)).toBeDefined();
});
