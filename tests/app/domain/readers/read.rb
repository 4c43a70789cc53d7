# Read documents with Psych, the YAML reader of Ruby, and write what it found: see readers.py.
require "json"
require "yaml"

def tagged(value)
  case value
  when String then { text: value }
  when Integer then { integer: value.to_s }
  when Float then { float: [value].pack("G").unpack1("H*") }
  when true, false, nil then { word: value }
  when Array then { list: value.map { |item| tagged(item) } }
  when Hash
    other = value.keys.find { |name| !name.is_a?(String) }
    other.nil? ? { object: value.map { |name, item| [name, tagged(item)] } } : { other: "the key #{other.inspect}" }
  else { other: "#{value.class} #{value}" }
  end
end

def read(text)
  tagged(YAML.unsafe_load(text))
rescue StandardError => error
  { error: error.message }
end

texts = JSON.parse(File.read(ARGV[0], encoding: "UTF-8"), max_nesting: false)
puts JSON.generate({ "Ruby" => texts.map { |text| read(text) } }, max_nesting: false)
