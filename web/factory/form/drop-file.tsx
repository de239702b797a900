import { useId, useState } from "preact/hooks";

interface DropFileProps {
  readonly title: string;
  readonly help: string;
  readonly accept: string;
  readonly onFile: (file: File) => void;
}

/** A place to drop a file, or to choose one. */
export function DropFile({ accept, help, onFile, title }: DropFileProps) {
  const id = useId();
  const [isOver, setOver] = useState(false);
  const take = (files: FileList | null | undefined) => {
    const file = files?.[0];
    if (file !== undefined) onFile(file);
  };
  return (
    <fieldset
      aria-label={title}
      class={isOver ? "drop drop-over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <p>
        <strong>{title}</strong>
      </p>
      <input
        id={id}
        type="file"
        accept={accept}
        aria-describedby={`${id}-help`}
        onChange={(event) => {
          take(event.currentTarget.files);
          // The same file again is a change, too.
          event.currentTarget.value = "";
        }}
      />
      <label for={id} class="button">
        Choose a file
      </label>
      <p id={`${id}-help`} class="soft small">
        {help}
      </p>
    </fieldset>
  );
}
