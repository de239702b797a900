#pragma once
#include "kernels.h"

/** The transforms and sparse products over the scalar field, one element at a time. */
QuotientPlan* planPortableQuotient(unsigned domainPower);
MatrixPlan* planPortableMatrix(const MatrixRows& rows);
