package pki

import "sigs.k8s.io/yaml"

// Kubeconfig is what a client needs to know; the contents of the files are embedded.
type Kubeconfig struct {
	Name      string // of the cluster, the user and the context alike
	Server    string // https://HOST:PORT
	CA        []byte // PEM
	Cert, Key []byte // PEM
}

type namedCluster struct {
	Name    string      `json:"name"`
	Cluster clusterInfo `json:"cluster"`
}

type clusterInfo struct {
	Server string `json:"server"`
	CA     []byte `json:"certificate-authority-data"`
}

type namedUser struct {
	Name string   `json:"name"`
	User userInfo `json:"user"`
}

type userInfo struct {
	Cert []byte `json:"client-certificate-data"`
	Key  []byte `json:"client-key-data"`
}

type namedContext struct {
	Name    string      `json:"name"`
	Context contextInfo `json:"context"`
}

type contextInfo struct {
	Cluster string `json:"cluster"`
	User    string `json:"user"`
}

type configFile struct {
	APIVersion     string         `json:"apiVersion"`
	Kind           string         `json:"kind"`
	Clusters       []namedCluster `json:"clusters"`
	Contexts       []namedContext `json:"contexts"`
	CurrentContext string         `json:"current-context"`
	Users          []namedUser    `json:"users"`
}

// YAML is the file that kubectl and client libraries read.
func (k *Kubeconfig) YAML() ([]byte, error) {
	return yaml.Marshal(configFile{
		APIVersion: "v1", Kind: "Config", CurrentContext: k.Name,
		Clusters: []namedCluster{{Name: k.Name, Cluster: clusterInfo{Server: k.Server, CA: k.CA}}},
		Contexts: []namedContext{{Name: k.Name, Context: contextInfo{Cluster: k.Name, User: k.Name}}},
		Users:    []namedUser{{Name: k.Name, User: userInfo{Cert: k.Cert, Key: k.Key}}},
	})
}
