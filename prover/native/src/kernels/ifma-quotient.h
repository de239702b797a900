#pragma once
#include "kernels.h"

/** The transforms and sparse products over the scalar field, eight wide. */
QuotientPlan* planIfmaQuotient(unsigned domainPower);
MatrixPlan* planIfmaMatrix(const MatrixRows& rows);
