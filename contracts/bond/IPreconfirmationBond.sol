// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title The sequencer's bond: two preconfirmations of one place with different operations take all of it
/// @notice A preconfirmation is the sequencer's signature under "operation H is number N of all signed operations". Two of
/// them with the same N and different H contradict each other, whatever L1 holds. Who shows them gets half of the bond,
/// the other half is burned. The bond is ETH, so that its worth does not hang on the rollup's own token.
/// @dev Separate from the rollup: neither contract calls the other after the constructor. Nobody has a right here but the
/// sequencer, who may take its bond back WITHDRAWAL_DELAY after it has said so. There is no owner and no upgrade.
///
/// What it does not punish: an operation that was preconfirmed and is never posted, or posted late or in another place.
/// A sequencer that contradicts itself can always show it first and lose only the burned half.
interface IPreconfirmationBond {
    /// @param operationHash Name of the operation: the hash that its author signed.
    /// @param deadline Seconds of L1 time by which it is posted. Two preconfirmations of one place contradict each other
    /// whatever their deadlines are.
    /// @param r s v The sequencer's ECDSA signature: s at most half of the order, v 27 or 28.
    struct SignedPromise {
        bytes32 operationHash;
        uint64 deadline;
        bytes32 r;
        bytes32 s;
        uint8 v;
    }

    /// @param opIndex The place: number of signed operations that the rollup executes before this one.
    struct Equivocation {
        uint64 opIndex;
        SignedPromise first;
        SignedPromise second;
    }

    event BondDeposited(address indexed from, uint256 amountWei, uint256 bondWei);
    /// @param amountWei 0: an earlier announcement is taken back.
    event WithdrawalAnnounced(uint256 amountWei, uint256 availableAt);
    event BondWithdrawn(uint256 amountWei, uint256 bondWei);
    event EquivocationCommitted(bytes32 indexed commitment);
    event EquivocationShown(
        address indexed beneficiary,
        uint64 indexed opIndex,
        bytes32 firstOperationHash,
        bytes32 secondOperationHash,
        uint256 rewardWei,
        uint256 burnedWei
    );

    /// @notice The rollup names no sequencer.
    error BondNoSequencer(address rollup);
    /// @notice Only the sequencer takes its bond back.
    error BondNotSequencer(address caller);
    /// @notice The bond was taken: this contract takes and pays nothing any more.
    error BondForfeited();
    /// @notice There is nothing to take. The equivocation can be shown once something is bonded.
    error BondEmpty();
    /// @notice A deposit of nothing.
    error BondNothingSent();
    error BondAmountTooLarge(uint256 amountWei, uint256 bondWei);
    error BondNothingAnnounced();
    error BondWithdrawalTooEarly(uint256 availableAt);
    /// @notice The announcement is older than its window: announce again.
    error BondAnnouncementExpired(uint256 expiredAt);
    /// @notice Somebody has committed to the same already; the first block counts.
    error BondAlreadyCommitted(bytes32 commitment);
    error BondNotCommitted(bytes32 commitment);
    error BondRevealTooEarly(uint256 revealBlock);
    /// @notice Both preconfirmations are of one operation: the sequencer may sign those as often as it likes.
    error BondSameOperation(bytes32 operationHash);
    /// @notice The signature is not the sequencer's over this preconfirmation, rollup and chain, or not in canonical form.
    error BondNotSigned(bytes32 operationHash);
    error BondPaymentRefused(address to);

    /// @notice Adds to the bond. Open to anyone; only the sequencer can take it back.
    function deposit() external payable;

    /// @notice Announces that the sequencer takes `amountWei` back, in place of any earlier announcement; 0 takes that back.
    function announceWithdrawal(uint256 amountWei) external;

    /// @notice Pays the announced amount to the sequencer, from WITHDRAWAL_DELAY after the announcement until
    /// WITHDRAWAL_WINDOW later. What is bonded meanwhile can be taken until this call.
    function withdraw() external;

    /// @notice Announces, without saying of what, that an equivocation is going to be shown. Open to anyone, for anyone.
    /// @param commitment `commitmentOf`: it hides the equivocation and binds the beneficiary. Choose the salt at random.
    function commit(bytes32 commitment) external;

    /// @notice Shows two preconfirmations of one place with different operations, REVEAL_DELAY blocks or more after the
    /// commitment: pays half of the bond to the beneficiary and burns the rest. Open to anyone; who copies the
    /// transaction pays the same beneficiary.
    /// @dev Works once. Pays last, after every effect.
    function show(Equivocation calldata equivocation, address beneficiary, bytes32 salt) external;

    /// @return keccak256 of the ABI encoding of all three.
    function commitmentOf(Equivocation calldata equivocation, address beneficiary, bytes32 salt)
        external
        pure
        returns (bytes32);

    /// @notice ETH that is bonded now, in wei.
    function bondWei() external view returns (uint256);

    /// @notice Least amount that is bonded until `time`, in seconds, unless it is taken before: what a preconfirmation
    /// with a deadline somewhat earlier is secured by. 0 from WITHDRAWAL_DELAY after now on.
    function securedWei(uint256 time) external view returns (uint256);

    /// @notice Block in which the commitment was made; 0 if there is none.
    function committedAt(bytes32 commitment) external view returns (uint256);

    /// @notice The amount that the sequencer has announced to take back, and from when it may.
    function announced() external view returns (uint256 amountWei, uint256 availableAt);

    /// @notice True once the bond was taken.
    function isForfeited() external view returns (bool);

    function rollup() external view returns (address);

    /// @notice Signer of the preconfirmations: the rollup's sequencer, which cannot change.
    function sequencer() external view returns (address);

    function WITHDRAWAL_DELAY() external view returns (uint256);

    function WITHDRAWAL_WINDOW() external view returns (uint256);

    function REVEAL_DELAY() external view returns (uint256);
}
