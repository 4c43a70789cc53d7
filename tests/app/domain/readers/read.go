// Read documents with yaml.v3, a YAML reader of Go, and write what it found: see readers.py.
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"

	"gopkg.in/yaml.v3"
)

func tagged(value interface{}) map[string]interface{} {
	switch typed := value.(type) {
	case string:
		return map[string]interface{}{"text": typed}
	case int, int64, uint64:
		return map[string]interface{}{"integer": fmt.Sprint(typed)}
	case float64:
		return map[string]interface{}{"float": fmt.Sprintf("%016x", math.Float64bits(typed))}
	case nil, bool:
		return map[string]interface{}{"word": typed}
	case []interface{}:
		items := []interface{}{}
		for _, item := range typed {
			items = append(items, tagged(item))
		}
		return map[string]interface{}{"list": items}
	case map[string]interface{}:
		pairs := []interface{}{}
		for name, item := range typed {
			pairs = append(pairs, []interface{}{name, tagged(item)})
		}
		return map[string]interface{}{"object": pairs}
	}
	return map[string]interface{}{"other": fmt.Sprintf("%T %v", value, value)}
}

func read(text string) map[string]interface{} {
	var value interface{}
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		return map[string]interface{}{"error": err.Error()}
	}
	return tagged(value)
}

func main() {
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var texts []string
	if err := json.Unmarshal(data, &texts); err != nil {
		panic(err)
	}
	found := []interface{}{}
	for _, text := range texts {
		found = append(found, read(text))
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]interface{}{"Go": found}); err != nil {
		panic(err)
	}
}
