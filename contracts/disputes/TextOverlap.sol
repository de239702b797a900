// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {LeaderJudge} from "./LeaderJudge.sol";
import {Shingles} from "./texts/Shingles.sol";
import {TextRows} from "./texts/TextRows.sol";

/// @title Whether a posted row of texts has the right leader among its near-duplicates
/// @notice docs/explanation/fault-proofs.md. challenger/statements/text-overlap.ts has the same rules; tests hold the two equal.
/// All of a row's text counts: its text; or its prompt, a new line and its answer. Rows have no labels.
contract TextOverlap is LeaderJudge {
    using Shingles for Shingles.Texts;

    function _areComparable(bytes calldata, bytes calldata) internal pure override returns (bool) {
        return true;
    }

    /// @dev What is between prompt and answer has words, but not the row's. Of bytes that are no row some text is read: the
    /// owner of such rows loses, whatever it is (TextTokens.shape).
    function _read(Shingles.Texts memory texts, bytes calldata content) internal pure override {
        uint256 head = TextRows.headOf(content);
        if (content.length < head + TextRows.TAIL_BYTES) return;
        uint256 end = content.length - TextRows.TAIL_BYTES;
        // An unescaped quote is where the text ends, or the prompt.
        uint256 quote = texts.add(content, head, end, uint8(bytes1('"')));
        if (quote + TextRows.MIDDLE_BYTES < end) {
            texts.add(content, quote + TextRows.MIDDLE_BYTES, end, Shingles.NO_BYTE);
        }
    }
}
