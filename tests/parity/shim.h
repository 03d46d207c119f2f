// CUDA kernels as loops on the CPU: one thread after the other, so nothing that threads share or wait for.
#include <math.h>
#include <string.h>

#include <cstdio>
#include <type_traits>
#include <utility>

#define __device__
#define __global__
#define __forceinline__ inline __attribute__((always_inline))

struct Dim { unsigned x, y, z; };
static Dim gridDim, blockDim, blockIdx, threadIdx;

static inline unsigned __umulhi(unsigned a, unsigned b) {
    return (unsigned)((unsigned long long)a * b >> 32);
}
template <class To, class From> static inline To same_bits(From from) {
    To to;
    static_assert(sizeof to == sizeof from, "");
    memcpy(&to, &from, sizeof to);
    return to;
}
static inline int __float_as_int(float x) { return same_bits<int>(x); }
static inline float __int_as_float(int x) { return same_bits<float>(x); }
static inline long long __double_as_longlong(double x) { return same_bits<long long>(x); }
static inline double __longlong_as_double(long long x) { return same_bits<double>(x); }

// numpy's letter for a type; P before it where it is a pointer
template <class T> void describe(char* text) {
    using Bare = std::remove_cv_t<std::remove_pointer_t<T>>;
    char kind = std::is_floating_point<Bare>::value ? 'f' : std::is_signed<Bare>::value ? 'i' : 'u';
    sprintf(text + strlen(text), "%s%c%d ", std::is_pointer<T>::value ? "P" : "", kind, (int)sizeof(Bare));
}

template <class... A> void signature_of(void (*)(A...), char* text) { (describe<A>(text), ...); }

template <class... A, size_t... I>
void launch(void (*kernel)(A...), const unsigned* grid, const unsigned* block, void** values,
            std::index_sequence<I...>) {
    gridDim = {grid[0], grid[1], grid[2]};
    blockDim = {block[0], block[1], block[2]};
    for (blockIdx.z = 0; blockIdx.z < gridDim.z; blockIdx.z++)
    for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++)
    for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++)
    for (threadIdx.z = 0; threadIdx.z < blockDim.z; threadIdx.z++)
    for (threadIdx.y = 0; threadIdx.y < blockDim.y; threadIdx.y++)
    for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++)
        kernel(*(A*)values[I]...);
}
template <class... A>
void launch(void (*kernel)(A...), const unsigned* grid, const unsigned* block, void** values) {
    launch(kernel, grid, block, values, std::index_sequence_for<A...>());
}

// The two doors a kernel gets for Python: its signature, and a launch as cuLaunchKernel takes it.
#define OPEN(kernel) \
    extern "C" void signature_##kernel(char* text) { signature_of(thermosim::kernel, text); } \
    extern "C" void launch_##kernel(const unsigned* grid, const unsigned* block, void** values) { \
        launch(thermosim::kernel, grid, block, values); \
    }
