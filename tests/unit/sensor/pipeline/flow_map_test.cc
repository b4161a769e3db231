#include "sensor/pipeline/flow_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace vedette {
namespace {

struct Number {
  int number = 0;
  void Reset() { number = 0; }
};

// Ids that collide, and ids that do not; what is erased leaves no hole in front of others.
TEST(FlowMap, AgreesWithAMapOverRandomWork) {
  std::mt19937_64 random(1);
  for (const uint64_t step : {uint64_t{1}, uint64_t{1} << 32, uint64_t{977}}) {
    FlowMap<Number> map;
    std::map<uint64_t, int> naive;
    std::map<uint64_t, const Number*> places;
    for (int i = 0; i < 200'000; ++i) {
      const uint64_t id = random() % 300 * step;
      const auto known = naive.find(id);
      ASSERT_EQ(map.Has(id), known != naive.end());
      if (known == naive.end()) {
        ASSERT_EQ(map.Find(id), nullptr);
        Number& value = map.FindOrInsert(id);
        ASSERT_EQ(value.number, 0) << "as a new one";
        value.number = naive[id] = i;
        places[id] = &value;
      } else if (random() % 2 == 0) {
        map.Erase(id);
        naive.erase(known);
      } else {
        ASSERT_EQ(map.Find(id), places[id]) << "it stays where it is";
        ASSERT_EQ(map.FindOrInsert(id).number, known->second);
      }
      ASSERT_EQ(map.size(), naive.size());
    }
  }
}

}  // namespace
}  // namespace vedette
