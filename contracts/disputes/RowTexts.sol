// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Leaders} from "./Leaders.sol";
import {RowArithmetic} from "./RowArithmetic.sol";
import {Shingles} from "./Shingles.sol";

/// @title What L1 reads in a row's text, and how much two rows' texts have in common
/// @notice The same rules as challenger/statements/text-overlap.ts; random tests hold the two equal.
///
/// A row is one line of canonical JSON, as RowArithmetic reads it.
contract RowTexts {
    using RowArithmetic for RowArithmetic.Counts;
    using Shingles for Shingles.Texts;

    /// @dev Before a ham's text. A spam's label has one more.
    uint256 private constant HEAD_BYTES = 23;
    uint256 private constant TAIL_BYTES = 2;

    /// @notice What L1 makes of a row: its token list, residual, pull, and map row · x. For comparing; nothing is judged.
    function readRow(bytes calldata content, uint256 bucketCount, bytes calldata weights, bytes calldata mapRow)
        external
        pure
        returns (bytes memory tokens, int256 residual, int256 pull, int256 product)
    {
        RowArithmetic.Counts memory counted = RowArithmetic.count(content, bucketCount);
        tokens = counted.list();
        residual = counted.residual(counted.dot(weights));
        (pull, product) = (counted.scale(residual), counted.dot(mapRow));
    }

    /// @notice Whether a row is a near-duplicate of another one, and more similar to it than to the leader that it has.
    /// @param known That leader's content; empty for none. @param isKnownFirst Whether it comes first where both are as similar.
    function isLeader(bytes calldata content, bytes calldata other, bytes calldata known, bool isKnownFirst)
        external
        pure
        returns (bool)
    {
        uint256 label = _label(content);
        if (label != _label(other)) return false;
        Shingles.Texts memory texts =
            Shingles.begin(content.length + other.length + known.length, Leaders.saltOf(content, other, known));
        _read(texts, content, label);
        texts.next();
        _read(texts, other, label);
        (uint256 common, uint256 union) = texts.overlap();
        if (!Leaders.isNear(common, union)) return false;
        if (known.length == 0) return true;
        (uint256 knownCommon, uint256 knownUnion) = (0, 0);
        if (label == _label(known)) {
            texts.next();
            _read(texts, known, label);
            (knownCommon, knownUnion) = texts.overlap();
        }
        return Leaders.isNearer(common, union, knownCommon, knownUnion, isKnownFirst);
    }

    /// @notice Shingles that both have, and that one has. Rows of different labels are not compared: 0 of 0.
    function overlap(bytes calldata a, bytes calldata b) external pure returns (uint256 common, uint256 union) {
        uint256 label = _label(a);
        if (label != _label(b)) return (0, 0);
        Shingles.Texts memory texts = Shingles.begin(a.length + b.length, Leaders.saltOf(a, b, a[:0]));
        _read(texts, a, label);
        texts.next();
        _read(texts, b, label);
        return texts.overlap();
    }

    /// @dev The text in the row's JSON, going by its places.
    function _read(Shingles.Texts memory texts, bytes calldata content, uint256 label) private pure {
        uint256 head = HEAD_BYTES + label;
        uint256 end = content.length > head + TAIL_BYTES ? content.length - TAIL_BYTES : head;
        texts.add(content, head, end, Shingles.NO_BYTE);
    }

    function _label(bytes calldata content) private pure returns (uint256) {
        return content.length > 10 && content[10] == "s" ? 1 : 0;
    }
}
