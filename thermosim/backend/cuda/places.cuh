// Which places of an (n, k) array, stored row by row, a thread answers for. A block covers whole rows where
// these are short, so that neighbouring threads touch neighbouring memory; gpu.py lays the grid.
#include "bits.cuh"

namespace thermosim {

template <class F> DEVICE void at_every_place(long long n, long long k, F act) {
    long long row = (long long)blockIdx.x * blockDim.y + threadIdx.y;
    if (row >= n) return;
    for (long long column = (long long)blockIdx.y * blockDim.x + threadIdx.x; column < k;
         column += (long long)gridDim.y * blockDim.x)
        act(row, column);
}

}  // namespace thermosim
