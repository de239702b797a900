// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./IDisputes.sol";
import {Leaders} from "./Leaders.sol";
import {LedgerMath} from "./LedgerMath.sol";
import {LedgerTies} from "./LedgerTies.sol";
import {Openings} from "./Openings.sol";
import {RowArithmetic} from "./RowArithmetic.sol";
import {RowTexts} from "./RowTexts.sol";

/// @title One wrong place of a committed model, shown in one transaction: what every kind of models has
/// @dev Documentation is in IDisputes. Bytes of a wrong length that open a posted root are the owner's fault: they refute.
abstract contract Disputes is LedgerTies {
    /// @dev A row of this many bytes is shown, read and divided within 2^24 gas (EIP-7825).
    uint256 private constant MOST_ROW_BYTES = 16_384;
    /// @dev No row is longer than this many average ones.
    uint256 private constant MOST_AVERAGES = 10;

    int256 private constant ONE = RowArithmetic.ONE;
    /// @dev 2^-18.
    int256 private constant OPTIMUM_TOLERANCE = 1 << 22;
    uint256 private constant FACT_BYTES = 32;
    RowTexts private immutable _texts;

    struct Fact {
        int256 factor;
        int256 residual;
        int256 pull;
        uint256 length;
        uint256 leader;
    }

    constructor(uint256 windowSeconds_, uint256 leastBondWei_, uint256 availabilityChallengeFeeWei_, LedgerMath math_)
        LedgerTies(windowSeconds_, leastBondWei_, availabilityChallengeFeeWei_, math_)
    {
        _texts = new RowTexts();
    }

    /// @inheritdoc IDisputes
    function texts() external view returns (address) {
        return address(_texts);
    }

    /// @inheritdoc IDisputes
    function challengeRowLength(
        uint256 id,
        Statement calldata statement,
        uint256 row,
        Opening calldata fact,
        Opening calldata features
    ) external virtual {
        ModelCommitment storage modelCommitment = _stated(id, statement);
        _requireOpening(statement, Tree.Facts, row, fact);
        _requireOpening(statement, Tree.Features, row, features);
        bool isRight = fact.data.length == FACT_BYTES && features.data.length == statement.columnCount;
        if (isRight) {
            uint256 squares;
            for (uint256 i; i < features.data.length; i++) {
                int256 entry = int8(uint8(features.data[i]));
                squares += uint256(entry * entry);
            }
            isRight = _fact(fact.data, 0).length == RowArithmetic.root(squares);
        }
        _judge(id, modelCommitment, isRight, Fault.RowLength, row);
    }

    /// @inheritdoc IDisputes
    function challengeLengths(uint256 id, Statement calldata statement, bytes calldata facts) external {
        ModelCommitment storage modelCommitment = _stated(id, statement);
        _requireFacts(statement, facts);
        uint256 total;
        uint256 longest;
        for (uint256 row; row < statement.rowCount; row++) {
            uint256 length = _fact(facts, row).length;
            total += length;
            if (length > longest) longest = length;
        }
        bool isRight = longest * statement.rowCount <= MOST_AVERAGES * total;
        if (statement.clipLength != 0) isRight = isRight && longest <= statement.clipLength + _slack(statement);
        _judge(id, modelCommitment, isRight, Fault.Lengths, longest);
    }

    /// @inheritdoc IDisputes
    function challengeFactor(uint256 id, Statement calldata statement, uint256 row, bytes calldata facts) external {
        ModelCommitment storage modelCommitment = _stated(id, statement);
        _requireFacts(statement, facts);
        if (row >= statement.rowCount) revert DisputesOpeningInvalid(Tree.Facts, row);
        Fact memory fact = _fact(facts, row);
        int256 size;
        for (uint256 other; other < statement.rowCount; other++) {
            if (_fact(facts, other).leader == fact.leader) size++;
        }
        int256 whole = ONE / size;
        // A leader is the first of its cluster, and leads itself.
        bool isRight =
            fact.leader <= row && _fact(facts, fact.leader).leader == fact.leader && fact.factor <= whole + 1;
        if (!statement.sharesDuplicates) isRight = isRight && fact.leader == row;
        if (fact.factor < whole - 1) {
            isRight = isRight && statement.clipLength != 0
                && fact.length + _slack(statement) >= statement.clipLength;
        }
        _judge(id, modelCommitment, isRight, Fault.Factor, row);
    }

    /// @inheritdoc IDisputes
    function challengeClip(uint256 id, Statement calldata statement, bytes calldata facts) external {
        ModelCommitment storage modelCommitment = _stated(id, statement);
        _requireFacts(statement, facts);
        uint256 rowCount = statement.rowCount;
        uint256[] memory sizes = new uint256[](rowCount);
        uint256 beyond;
        for (uint256 row; row < rowCount; row++) {
            uint256 leader = uint32(_factWord(facts, row));
            if (leader < rowCount) sizes[leader]++;
            else beyond++;
        }
        uint256 cut;
        uint256 reached;
        uint256 least = _slack(statement);
        least = statement.clipLength > least ? statement.clipLength - least : 0;
        for (uint256 row; beyond == 0 && row < rowCount; row++) {
            uint256 word = _factWord(facts, row);
            if ((word >> 192) + 1 < uint256(ONE) / sizes[uint32(word)]) cut++;
            if (uint32(word >> 32) >= least) reached++;
        }
        // A quantile is a double that was rounded: 2^-40 of the rows may decide about one row.
        uint256 share = uint256(statement.clipQuantile) * rowCount;
        uint256 kept = (share + (1 << 40) - 1 - rowCount) >> 40;
        uint256 mostKept = (share + rowCount + (1 << 40) - 1) >> 40;
        bool isRight = statement.clipLength == 0
            ? statement.clipQuantile >= 1 << 40
            : statement.clipQuantile < 1 << 40 && cut + kept <= rowCount && reached + mostKept > rowCount;
        _judge(id, modelCommitment, isRight && beyond == 0, Fault.Clip, cut);
    }

    /// @inheritdoc IDisputes
    function challengeDuplicate(
        uint256 id,
        Statement calldata statement,
        uint256 row,
        uint256 other,
        Opening calldata content,
        Opening calldata fact,
        Opening calldata otherContent,
        Opening calldata otherFact,
        Opening calldata leaderContent
    ) external virtual {
        ModelCommitment storage modelCommitment = _stated(id, statement);
        _requireOpening(statement, Tree.Rows, row, content);
        _requireOpening(statement, Tree.Facts, row, fact);
        _requireOpening(statement, Tree.Rows, other, otherContent);
        _requireOpening(statement, Tree.Facts, other, otherFact);
        bool isRight = fact.data.length == FACT_BYTES && otherFact.data.length == FACT_BYTES;
        if (isRight) {
            uint256 leader = _fact(fact.data, 0).leader;
            bool hasLeader =
                Leaders.requireComparable(statement, row, other, leader, _fact(otherFact.data, 0).leader);
            if (hasLeader) _requireOpening(statement, Tree.Rows, leader, leaderContent);
            bytes calldata known = hasLeader ? leaderContent.data : content.data[:0];
            isRight = _texts.isLeader(content.data, otherContent.data, known, leader < other) == (other == leader);
        }
        _judge(id, modelCommitment, isRight, Fault.Duplicate, row);
    }

    /// @inheritdoc IDisputes
    function challengeInput(
        uint256 id,
        Statement calldata statement,
        uint256 row,
        uint256 bucket,
        Opening calldata tokens,
        Opening calldata column
    ) external virtual {
        ModelCommitment storage modelCommitment = _stated(id, statement);
        _requireOpening(statement, Tree.Tokens, row, tokens);
        _requireOpening(statement, Tree.Inputs, bucket, column);
        (bool isList, uint256 inRow) = _countIn(tokens.data, bucket);
        (bool isColumn, uint256 inColumn) = _countIn(column.data, row);
        bool isRight = isList && isColumn && inRow == inColumn;
        _judge(id, modelCommitment, isRight, Fault.Input, row * statement.bucketCount + bucket);
    }

    /// @inheritdoc IDisputes
    function challengeOptimum(
        uint256 id,
        Statement calldata statement,
        uint256 bucket,
        bytes calldata weights,
        bytes calldata facts,
        Opening calldata column
    ) external virtual {
        ModelCommitment storage modelCommitment = _stated(id, statement);
        _requireWeights(statement, weights);
        _requireFacts(statement, facts);
        bool isRight = weights.length == 8 * (uint256(statement.bucketCount) + 1);
        if (isRight) {
            int256 sum;
            if (bucket == statement.bucketCount) {
                for (uint256 row; row < statement.rowCount; row++) sum += _fact(facts, row).residual;
            } else {
                _requireOpening(statement, Tree.Inputs, bucket, column);
                isRight = column.data.length % 4 == 0;
                for (uint256 place; isRight && place < column.data.length; place += 4) {
                    uint256 row = _pair(column.data, place) >> 16;
                    isRight = row < statement.rowCount;
                    if (isRight) sum += int256(_pair(column.data, place) & 0xffff) * _fact(facts, row).pull;
                }
            }
            // The logit's weights are the difference of two classes', and each is drawn to 0: half of the decay.
            int256 drawn = (int256(uint256(statement.decay)) * _int64(weights, 8 * bucket)) >> 41;
            isRight = isRight && _isNear(sum / int256(uint256(statement.rowCount)), drawn, OPTIMUM_TOLERANCE);
        }
        _judge(id, modelCommitment, isRight, Fault.Optimum, bucket);
    }

    /// @inheritdoc IDisputes
    function challengeRowTooLong(uint256 id, Statement calldata statement, uint256 row, Opening calldata content)
        external
    {
        ModelCommitment storage modelCommitment = _stated(id, statement);
        _requireOpening(statement, Tree.Rows, row, content);
        _judge(id, modelCommitment, content.data.length <= MOST_ROW_BYTES, Fault.RowTooLong, row);
    }

    function _requireWeights(Statement calldata statement, bytes calldata weights) private pure {
        if (Openings.leafOf(weights) != statement.weights) revert DisputesOpeningInvalid(Tree.Weights, 0);
    }

    /// @dev The root of all leaves. A leaf of another length is refuted by a challenge that opens it alone.
    function _requireFacts(Statement calldata statement, bytes calldata facts) private pure {
        if (facts.length != FACT_BYTES * statement.rowCount || Openings.rootOfLeaves(facts, FACT_BYTES) != statement.facts) {
            revert DisputesOpeningInvalid(Tree.Facts, 0);
        }
    }

    function _fact(bytes calldata facts, uint256 row) private pure returns (Fact memory fact) {
        uint256 word = _factWord(facts, row);
        fact.factor = int256(word >> 192);
        fact.residual = int64(uint64(word >> 128));
        fact.pull = int64(uint64(word >> 64));
        fact.length = uint32(word >> 32);
        fact.leader = uint32(word);
    }

    /// @dev Its place was compared with the length before.
    function _factWord(bytes calldata facts, uint256 row) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(facts.offset, shl(5, row)))
        }
    }

    /// @dev The count at this key, 0 where there is none.
    /// Attack: pairs that count nothing, or twice, so many that a challenge which reads them all has no gas left.
    /// @return isList Whether these are pairs with ascending keys and counts above 0.
    function _countIn(bytes calldata pairs, uint256 key) private pure returns (bool isList, uint256 counted) {
        isList = pairs.length % 4 == 0;
        uint256 least;
        for (uint256 place; isList && place < pairs.length; place += 4) {
            uint256 pair = _pair(pairs, place);
            isList = pair & 0xffff != 0 && pair >> 16 >= least;
            least = (pair >> 16) + 1;
            if (pair >> 16 == key) counted = pair & 0xffff;
        }
    }

    function _pair(bytes calldata pairs, uint256 place) private pure returns (uint256) {
        return uint32(bytes4(pairs[place:place + 4]));
    }

    function _int64(bytes calldata vector, uint256 place) private pure returns (int256) {
        return int64(uint64(bytes8(vector[place:place + 8])));
    }

    function _isNear(int256 a, int256 b, int256 tolerance) private pure returns (bool) {
        return a - b <= tolerance && b - a <= tolerance;
    }
}
