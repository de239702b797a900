/**
 * Picture of the next question on the Ask page, for a model that reads pictures: a file of any type that models read. Its bytes in
 * base64 are the prompt. A larger one than models take, as a phone's, is scaled down, and the page says so.
 */
import { requirePicture } from "@openledger/attribution/inputs/open-inputs";
import { MAX_PICTURE_BYTES } from "@openledger/attribution/pictures/picture-limits";
import { base64Of, contentOf } from "@openledger/attribution/rows/row-content";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { DropFiles } from "../design/drop-files.tsx";
import { useLatest } from "../ledger/use-latest.ts";
import { pictureAddress } from "../rows/picture-address.ts";
import { showBytes } from "../rows/show-bytes.ts";
import { MAX_SHRUNK_SIDE, type PictureChange, shrinkPicture } from "../rows/shrink-picture.ts";
import { showCount } from "../words/format.ts";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";

interface PictureInputProps {
  /** The picture's file in base64; empty: none. */
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly isDisabled: boolean;
}

export function PictureInput({ isDisabled, onInput, value }: PictureInputProps) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [change, setChange] = useState<PictureChange>(null);
  /** Pictures that were asked or cleared: each leaves no file's name behind. */
  const [goneCount, setGoneCount] = useState(0);
  useEffect(() => {
    if (value === "") setGoneCount((count) => count + 1);
  }, [value]);
  const begin = useLatest();
  const take = async (file: File) => {
    const isLatest = begin();
    try {
      const chosen = new Uint8Array(await file.arrayBuffer());
      const { content, change: made } = await shrinkPicture(chosen);
      await requirePicture(content);
      if (!isLatest()) return;
      setProblem(null);
      setChange(made);
      onInput(base64Of(content));
    } catch (error) {
      if (isLatest()) setProblem(problemOf(error));
    }
  };
  return (
    <fieldset class="field" disabled={isDisabled}>
      <legend>Your picture</legend>
      {value !== "" && (
        <div class="row">
          {addressOf(value) === "" ? (
            <span class="soft">This is no picture.</span>
          ) : (
            <img class="asked-picture" src={addressOf(value)} alt="What you ask about" />
          )}
          <Button isSmall onClick={() => onInput("")}>
            Clear
          </Button>
        </div>
      )}
      <DropFiles
        key={goneCount}
        title="Picture file"
        help={`PNG, JPEG, WebP or GIF, at most ${showBytes(MAX_PICTURE_BYTES)}. The file is the question; larger files are scaled down.`}
        accept="image/png,image/jpeg,image/webp,image/gif"
        onFiles={([file]) => void take(file!)}
      />
      {value !== "" && change !== null && (
        <p class="small soft">
          {change === "scaled"
            ? `The file was too large: a smaller picture of at most ${showCount(MAX_SHRUNK_SIDE)} pixels per side is used.`
            : "Models do not read this form of file: the same picture, saved as a JPEG, is used."}
        </p>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
    </fieldset>
  );
}

/** A question that was asked. */
export function AskedPicture({ text }: { text: string }) {
  return (
    <p class="asked">
      <span class="visually-hidden">You asked: </span>
      <img class="asked-picture" src={addressOf(text)} alt="What you chose" />
    </p>
  );
}

/** Address of a picture that was asked about. Nothing for a text that is no picture: a server or the browser's storage had it. */
function addressOf(base64: string): string {
  try {
    return pictureAddress(contentOf("image", base64)) ?? "";
  } catch (error) {
    if (isRollupError(error)) return "";
    throw error;
  }
}
