// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {FloatMath as F} from "./base/FloatMath.sol";
import {Openings} from "./base/Openings.sol";
import {WordTrees} from "./base/WordTrees.sol";

/// @title What one number of a language model's trace has to be
/// @notice A trace is a list of operations, each with a matrix of floats as its result (docs/explanation/fault-proofs.md). `output`
/// computes one of them from the numbers that it is made of, which open the trace's own root.
/// challenger/trace/leaf-rules.ts has the same rules; tests hold the two equal.
contract TraceRules {
    /// @dev In the order of challenger/trace/trace-op.ts.
    enum Kind {
        Input,
        Fill,
        Copy,
        Assemble,
        Embed,
        Chain,
        Lanes,
        Total,
        Most,
        Scale,
        Exponential,
        Product,
        Normalise,
        NormaliseBack,
        Rotate,
        SoftmaxBack,
        Gate,
        GateBackInner,
        GateBackGate,
        Gelu,
        GeluBack,
        Sum,
        CrossEntropy,
        Quantise
    }

    /// @notice What a trace belongs to.
    struct Pass {
        bytes32 traceRoot;
        uint256 opCount;
        /// @dev Prompt, then answer: four bytes a token.
        bytes tokens;
        uint256 promptCount;
    }

    /// @notice Neighbouring words of one operation's results.
    struct Range {
        bytes words;
        /// @dev WordTrees.rootOfRange.
        bytes32[] beside;
        /// @dev From the operation's root to the trace's.
        bytes32[] path;
    }

    /// @notice An operation of a program, and its path there.
    struct Step {
        uint256 place;
        bytes op;
        bytes32[] path;
    }

    error TraceOpInvalid();
    /// @notice These are not the operations from which a program's loss reads, or this is no place of an answer.
    error TraceLossInvalid();
    error TraceRangesMissing(uint256 given, uint256 needed);
    /// @notice The words do not open the trace's root as numbers of this operation from this word on.
    error TraceRangeInvalid(uint256 op, uint256 firstWord);

    uint256 private constant HEAD_BYTES = 32;
    uint256 private constant SOURCE_BYTES = 20;
    uint256 private constant LANES = 16;
    uint256 private constant LEAST = 0xff61b1e6; // −3e38

    struct Head {
        Kind kind;
        uint256 rows;
        uint256 columns;
        uint256 depth;
        uint256 extra;
        uint256 first;
        uint256 second;
        uint256 sourceCount;
    }

    struct Source {
        uint256 op;
        uint256 size;
        uint256 start;
        uint256 rowStride;
        uint256 columnStride;
    }

    /// @notice The bits of one result. @param op The operation's description. @param element Row · columns + column.
    function output(Pass calldata pass, bytes calldata op, uint256 element, Range[] calldata ranges)
        external
        pure
        returns (uint256)
    {
        Head memory head = headOf(op);
        if (element >= head.rows * head.columns) return 0;
        (uint256 i, uint256 j) = (element / head.columns, element % head.columns);
        if (head.kind == Kind.Fill) return head.first;
        if (head.kind == Kind.Assemble) {
            (Source memory piece, uint256 column) = _pieceAt(op, head, j);
            if (ranges.length != 1) revert TraceRangesMissing(ranges.length, 1);
            return _float(_open(pass, ranges[0], piece, piece.start + i * piece.rowStride + column, 1), 0);
        }
        if (ranges.length != head.sourceCount) revert TraceRangesMissing(ranges.length, head.sourceCount);
        // Where each source's numbers lie in calldata.
        uint256[] memory lies = new uint256[](8);
        for (uint256 s; s < head.sourceCount; s++) {
            Source memory source = _source(op, s);
            (uint256 from, uint256 count) = _placeOf(pass, head, source, s, i, j);
            // No token of the vocabulary.
            if (head.kind == Kind.Embed && from >= source.size) return F.NAN;
            lies[s] = _open(pass, ranges[s], source, from, count);
        }
        return _apply(pass, head, i, j, lies);
    }

    /// @notice Whether a rival is likelier than the token that stands behind this place of an answer, or as likely and before it
    /// in the vocabulary: the likeliest token is the first of the largest. By the numbers that the loss is made of.
    /// @param program Root over descriptions. @param steps The loss, and the powers of e that it reads. @param place Of the
    /// token before the one that is wanted. @param ranges Of the rival's number, and of the token's.
    function isLikelier(
        Pass calldata pass,
        bytes32 program,
        Step[2] calldata steps,
        uint256 place,
        uint256 rival,
        Range[2] calldata ranges
    ) external pure returns (bool) {
        Head memory loss = _stepOf(pass, program, steps[0]);
        Head memory powers = _stepOf(pass, program, steps[1]);
        bool isLoss = loss.kind == Kind.CrossEntropy && powers.kind == Kind.Exponential
            && _source(steps[0].op, 0).op == steps[1].place && place < loss.rows && rival < loss.columns
            && place + 1 >= pass.promptCount && place + 1 < pass.tokens.length / 4;
        if (!isLoss) revert TraceLossInvalid();
        uint256 token = _token(pass, place + 1);
        // No token of the vocabulary: no model answers it.
        if (token >= loss.columns) return true;
        Source memory logits = _source(steps[1].op, 0);
        uint256 from = logits.start + place * logits.rowStride;
        uint256 x = _float(_open(pass, ranges[0], logits, from + rival * logits.columnStride, 1), 0);
        uint256 y = _float(_open(pass, ranges[1], logits, from + token * logits.columnStride, 1), 0);
        if ((x & 0x7fffffff) > F.INFINITY || (y & 0x7fffffff) > F.INFINITY) return false;
        return F.isGreater(x, y) || (rival < token && !F.isGreater(y, x));
    }

    function _stepOf(Pass calldata pass, bytes32 program, Step calldata step) private pure returns (Head memory head) {
        bool isStep = step.place < pass.opCount && step.path.length == Openings.depthOf(pass.opCount)
            && WordTrees.rootOf(keccak256(step.op), step.place, step.path) == program;
        if (!isStep) revert TraceLossInvalid();
        head = headOf(step.op);
        if (head.sourceCount == 0) revert TraceLossInvalid();
    }

    /// @notice x y + z of each triple of floats, four bytes a number. For comparing.
    function fuse(bytes calldata x, bytes calldata y, bytes calldata z) external pure returns (bytes memory results) {
        results = new bytes(x.length);
        for (uint256 k; k < x.length; k += 4) {
            _write(results, k, F.fused(_bits(x, k), _bits(y, k), _bits(z, k)));
        }
    }

    /// @notice x / y, √x, e^x and whether x > y, of each pair of floats, four bytes a number. For comparing.
    function quotients(bytes calldata x, bytes calldata y)
        external
        pure
        returns (bytes memory quotient, bytes memory rooted, bytes memory raised, bytes memory greater)
    {
        (quotient, rooted) = (new bytes(x.length), new bytes(x.length));
        (raised, greater) = (new bytes(x.length), new bytes(x.length));
        for (uint256 k; k < x.length; k += 4) {
            (uint256 p, uint256 q) = (_bits(x, k), _bits(y, k));
            _write(quotient, k, F.over(p, q));
            _write(rooted, k, F.root(p));
            _write(raised, k, F.exponential(p));
            _write(greater, k, F.isGreater(p, q) ? 1 : 0);
        }
    }

    function headOf(bytes calldata op) public pure returns (Head memory head) {
        if (op.length < HEAD_BYTES) revert TraceOpInvalid();
        uint256 word = uint256(bytes32(op[:HEAD_BYTES]));
        uint256 kind = word >> 224;
        head.rows = uint32(word >> 192);
        head.columns = uint32(word >> 160);
        head.depth = uint32(word >> 128);
        head.extra = uint32(word >> 96);
        head.first = uint32(word >> 64);
        head.second = uint32(word >> 32);
        head.sourceCount = uint32(word);
        bool isKnown = kind <= uint256(type(Kind).max) && head.rows != 0 && head.columns != 0
            && op.length == HEAD_BYTES + SOURCE_BYTES * head.sourceCount;
        if (!isKnown) revert TraceOpInvalid();
        head.kind = Kind(kind);
        if (head.sourceCount > 8 && head.kind != Kind.Assemble) revert TraceOpInvalid();
    }

    function _source(bytes calldata op, uint256 index) private pure returns (Source memory source) {
        uint256 from = HEAD_BYTES + SOURCE_BYTES * index;
        uint256 word = uint160(bytes20(op[from:from + SOURCE_BYTES]));
        source.op = uint32(word >> 128);
        source.size = uint32(word >> 96);
        source.start = uint32(word >> 64);
        source.rowStride = uint32(word >> 32);
        source.columnStride = uint32(word);
    }

    /// @dev A piece's column stride is the first column that it has. The last piece that begins before it has the column.
    function _pieceAt(bytes calldata op, Head memory head, uint256 column)
        private
        pure
        returns (Source memory piece, uint256 own)
    {
        uint256 low;
        for (uint256 high = head.sourceCount; high - low > 1;) {
            uint256 middle = (low + high) >> 1;
            if (_source(op, middle).columnStride <= column) low = middle;
            else high = middle;
        }
        piece = _source(op, low);
        own = column - piece.columnStride;
    }

    /// @dev Which numbers of a source's operation a result is made of.
    function _placeOf(Pass calldata pass, Head memory head, Source memory source, uint256 s, uint256 i, uint256 j)
        private
        pure
        returns (uint256 from, uint256 count)
    {
        Kind kind = head.kind;
        if (kind == Kind.Chain && s < 2) {
            return (source.start + (s == 0 ? i : j) * source.rowStride, head.depth);
        }
        if (_readsRow(head, s)) {
            return (source.start + i * source.rowStride, _isCausal(head) ? i + 1 : head.depth);
        }
        if (kind == Kind.Embed) return (source.start + _token(pass, i) * source.rowStride + j, 1);
        if (kind == Kind.Rotate) {
            uint256 half = head.extra >> 1;
            uint256 column = j % head.extra % half;
            if (s < 2) column += j - j % head.extra;
            return (source.start + i * source.rowStride + column, 1);
        }
        return (source.start + i * source.rowStride + j * source.columnStride, 1);
    }

    /// @dev Rows of the lower triangle: row i has i + 1 numbers.
    function _isCausal(Head memory head) private pure returns (bool) {
        return head.second == 1 && head.kind != Kind.Total;
    }

    function _readsRow(Head memory head, uint256 s) private pure returns (bool) {
        if (head.kind == Kind.Total || head.kind == Kind.Most) return true;
        if (head.kind != Kind.Lanes) return false;
        // What is before a piece, the mean and the factor are one number.
        if (head.extra == 2) return true;
        return s == 0 || (head.extra == 3 && s < 3);
    }

    function _apply(Pass calldata pass, Head memory head, uint256 i, uint256 j, uint256[] memory lies)
        private
        pure
        returns (uint256)
    {
        Kind kind = head.kind;
        if (kind == Kind.Copy || kind == Kind.Embed) return _float(lies[0], 0);
        if (kind == Kind.Chain) {
            return F.chain(head.sourceCount == 3 ? _float(lies[2], 0) : 0, lies[0], lies[1], head.depth);
        }
        if (kind == Kind.Lanes) return _lane(head, i, j, lies);
        if (kind == Kind.Total) return _total(pass, head, lies[0]);
        if (kind == Kind.Most) return _most(head, i, lies[0]);
        uint256 x = _float(lies[0], 0);
        bool isBehind = _isCausal(head) && j > i;
        if (kind == Kind.Scale) return isBehind ? 0 : F.times(x, head.first);
        uint256 y = _float(lies[1], 0);
        if (kind == Kind.Exponential) return isBehind ? 0 : F.exponential(F.minus(x, y));
        if (kind == Kind.Product) return isBehind ? 0 : F.times(x, y);
        if (kind == Kind.Sum) return F.plus(x, y);
        if (kind == Kind.Quantise) return _quantise(x, y);
        if (kind == Kind.Gelu) return F.times(x, F.sigmoid(_geluInner(x)));
        if (kind == Kind.GeluBack) return _geluBack(x, y);
        if (kind == Kind.GateBackInner) return F.times(y, F.times(x, F.sigmoid(x)));
        if (kind == Kind.Gate) return F.times(F.times(x, F.sigmoid(x)), y);
        if (kind == Kind.CrossEntropy) return _crossEntropy(pass, i, j, x, y);
        uint256 z = _float(lies[2], 0);
        if (kind == Kind.GateBackGate) return _gateBack(x, y, z);
        if (kind == Kind.SoftmaxBack) {
            // Behind the diagonal the engine has zeros, whose signs it makes up to a whole number of lanes.
            if (j > i + LANES - 1 - i % LANES) return 0;
            return F.times(F.times(F.minus(j > i ? 0 : x, z), y), head.first);
        }
        uint256 w = _float(lies[3], 0);
        if (kind == Kind.Rotate) {
            w = F.times(w, head.first);
            if (j % head.extra < head.extra >> 1) return F.minus(F.times(x, z), F.times(y, w));
            return F.plus(F.times(y, z), F.times(x, w));
        }
        if (kind == Kind.Normalise) {
            uint256 result = F.times(F.times(F.minus(x, y), z), w);
            return head.sourceCount == 5 ? F.plus(result, _float(lies[4], 0)) : result;
        }
        if (kind != Kind.NormaliseBack) revert TraceOpInvalid();
        uint256 unit = F.times(F.minus(w, _float(lies[4], 0)), _float(lies[5], 0));
        uint256 slope = F.minus(F.times(y, z), _float(lies[6], 0));
        slope = F.minus(slope, F.times(unit, _float(lies[7], 0)));
        return F.plus(x, F.times(slope, _float(lies[5], 0)));
    }

    /// @dev Every sixteenth number of a row, from the lane's own on, as `extra` turns it, added up: of a long row's later
    /// pieces to what is before.
    function _lane(Head memory head, uint256 i, uint256 lane, uint256[] memory lies) private pure returns (uint256 sum) {
        uint256 end = _isCausal(head) ? i + 1 : head.depth;
        if (head.extra == 0 && head.sourceCount == 2) sum = _float(lies[1], 0);
        for (uint256 k = lane; k < end; k += LANES) {
            uint256 x = _float(lies[0], k);
            if (head.extra == 1) {
                x = F.minus(x, _float(lies[1], 0));
                x = F.times(x, x);
            } else if (head.extra >= 2) {
                x = F.times(x, _float(lies[1], k));
                if (head.extra == 3) {
                    uint256 unit = F.minus(_float(lies[2], k), _float(lies[3], 0));
                    x = F.times(x, F.times(unit, _float(lies[4], 0)));
                }
            }
            sum = F.plus(sum, x);
        }
    }

    /// @dev The tree of sixteen lanes, and what `extra` makes of it.
    function _total(Pass calldata pass, Head memory head, uint256 lies) private pure returns (uint256) {
        uint256[] memory lanes = new uint256[](LANES);
        for (uint256 k; k < LANES; k++) lanes[k] = _float(lies, k);
        for (uint256 width = LANES / 2; width > 0; width >>= 1) {
            for (uint256 k; k < width; k++) lanes[k] = F.plus(lanes[k], lanes[k + width]);
        }
        uint256 total = lanes[0];
        if (head.extra == 0) return total;
        if (head.extra == 1) return F.over(total, head.first);
        if (head.extra == 2) return F.over(F.ONE, F.root(F.plus(F.over(total, head.first), head.second)));
        if (head.extra == 3) return F.over(F.ONE, total);
        if (head.extra == 4) return F.over(_weight(pass), total);
        revert TraceOpInvalid();
    }

    /// @dev The largest, or the largest size. Both zeros are equal, and what is no number is passed over.
    function _most(Head memory head, uint256 i, uint256 lies) private pure returns (uint256 most) {
        uint256 count = _isCausal(head) ? i + 1 : head.depth;
        uint256 mask = head.extra == 1 ? 0x7fffffff : 0xffffffff;
        most = head.extra == 1 ? 0 : LEAST;
        assembly ("memory-safe") {
            let best := sub(0, and(most, 0x7fffffff))
            for { let end := add(lies, shl(2, count)) } lt(lies, end) { lies := add(lies, 4) } {
                let x := and(shr(224, calldataload(lies)), mask)
                let size := and(x, 0x7fffffff)
                let sign := shr(31, x)
                let order := add(xor(sub(0, sign), size), sign)
                if and(sgt(order, best), lt(size, 0x7f800001)) {
                    best := order
                    most := x
                }
            }
        }
    }

    /// @dev Of a row without a target there is no loss; the wanted token's entry is less by the loss's weight.
    function _crossEntropy(Pass calldata pass, uint256 row, uint256 token, uint256 x, uint256 factor)
        private
        pure
        returns (uint256)
    {
        if (row + 1 < pass.promptCount) return 0;
        x = F.times(x, factor);
        return _token(pass, row + 1) == token ? F.minus(x, _weight(pass)) : x;
    }

    /// @dev One over the number of targets.
    function _weight(Pass calldata pass) private pure returns (uint256) {
        return F.over(F.ONE, F.fromWhole(pass.tokens.length / 4 - pass.promptCount));
    }

    function _geluInner(uint256 x) private pure returns (uint256) {
        return F.times(x, F.plus(F.times(F.times(x, x), 0x3d922279), 0x3fcc422a));
    }

    function _geluBack(uint256 x, uint256 d) private pure returns (uint256) {
        uint256 s = F.sigmoid(_geluInner(x));
        uint256 slope = F.plus(F.times(F.times(x, x), 0x3e5b33b6), 0x3fcc422a);
        uint256 rise = F.plus(F.times(F.times(x, F.minus(F.ONE, s)), slope), F.ONE);
        return F.times(d, F.times(s, rise));
    }

    function _gateBack(uint256 x, uint256 y, uint256 d) private pure returns (uint256) {
        uint256 s = F.sigmoid(x);
        uint256 rise = F.plus(F.times(x, F.minus(F.ONE, s)), F.ONE);
        return F.times(F.times(d, y), F.times(s, rise));
    }

    /// @dev The odd number of 8 bits that a feature becomes, as a float: 2 ⌊128 x / most⌋ + 1, at most 255.
    function _quantise(uint256 x, uint256 most) private pure returns (uint256) {
        if (x & 0x7fffffff >= F.INFINITY || most >= F.INFINITY) return F.NAN;
        if (most == 0) return F.ONE;
        (uint256 m, uint256 e) = F.partsOf(x);
        (uint256 n, uint256 f) = F.partsOf(most);
        // e ≤ f, since |x| ≤ most. Beyond 64 places it is a number next to 0.
        uint256 places = f > e ? f - e : 0;
        if (places > 64) (m, places) = (m == 0 ? 0 : 1, 64);
        (m, n) = (m << 7, n << places);
        uint256 whole = m / n;
        if (x >> 31 == 0) {
            uint256 odd = 2 * whole + 1;
            return F.fromWhole(odd > 255 ? 255 : odd);
        }
        if (whole * n != m) whole++;
        return whole == 0 ? F.ONE : F.SIGN | F.fromWhole(2 * whole - 1);
    }

    /// @dev Where in calldata the numbers lie that open this source from `from` on.
    function _open(Pass calldata pass, Range calldata range, Source memory source, uint256 from, uint256 count)
        private
        pure
        returns (uint256 lies)
    {
        uint256 first = from >> 3;
        bool isRight = count != 0 && from + count <= source.size && source.op < pass.opCount
            && range.words.length == 32 * (((from + count - 1) >> 3) - first + 1)
            && range.path.length == Openings.depthOf(pass.opCount);
        if (isRight) {
            bytes32 root;
            (isRight, root) =
                WordTrees.rootOfRange(range.words, first, Openings.depthOf((source.size + 7) >> 3), range.beside);
            isRight = isRight && WordTrees.rootOf(root, source.op, range.path) == pass.traceRoot;
        }
        if (!isRight) revert TraceRangeInvalid(source.op, first);
        return _place(range.words, 4 * (from & 7));
    }

    function _token(Pass calldata pass, uint256 place) private pure returns (uint256) {
        return _bits(pass.tokens, 4 * place);
    }

    function _bits(bytes calldata data, uint256 from) private pure returns (uint256) {
        return uint32(bytes4(data[from:from + 4]));
    }

    function _place(bytes calldata data, uint256 from) private pure returns (uint256 lies) {
        assembly {
            lies := add(data.offset, from)
        }
    }

    function _float(uint256 lies, uint256 index) private pure returns (uint256 bits) {
        assembly {
            bits := shr(224, calldataload(add(lies, shl(2, index))))
        }
    }

    function _write(bytes memory results, uint256 from, uint256 bits) private pure {
        assembly ("memory-safe") {
            let lies := add(add(results, 32), from)
            mstore(lies, or(shl(224, bits), and(mload(lies), not(shl(224, 0xffffffff)))))
        }
    }
}
