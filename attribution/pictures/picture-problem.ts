/** A file that no model reads as a picture; `message` says why. row-content.ts makes a typed error of it. */
export class PictureProblem extends Error {}
