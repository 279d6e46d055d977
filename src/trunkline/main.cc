#include <cstdio>

int main() {
  std::puts("trunkline");
  return 0;
}
