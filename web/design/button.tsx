/** Button of all pages: sizes, the main one of a form, and a busy state. */
import type { ComponentChildren } from "preact";

interface ButtonProps {
  children: ComponentChildren;
  /** Style of a form's main button, of which it has one. */
  isMain?: boolean;
  isSmall?: boolean;
  isWide?: boolean;
  isDisabled?: boolean;
  /** Shows that its work goes on; it takes no click meanwhile. */
  isBusy?: boolean;
  type?: "button" | "submit";
  onClick?: () => void;
}

export function Button({
  children,
  isMain,
  isSmall,
  isWide,
  isDisabled,
  isBusy,
  type,
  onClick,
}: ButtonProps) {
  const names = [
    "button",
    isMain && "button-main",
    isSmall && "button-small",
    isWide && "button-wide",
    isBusy && "button-busy",
  ];
  return (
    <button
      type={type ?? "button"}
      class={names.filter(Boolean).join(" ")}
      disabled={isDisabled || isBusy}
      aria-busy={isBusy}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
